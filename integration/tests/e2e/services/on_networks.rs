//! The same services across containers: by name, by alias, at a fixed address, behind a published port.

use coracle_integration::{TestEnv, port::free_port, wait};

use super::image::{INSTALL_DEADLINE, with_services};
use crate::network::kit::{address, far, get, get_from};

#[track_caller]
fn serve(env: &TestEnv, name: &str, flags: &[&str], command: &[&str]) {
    env.run([&["run", "-d", "--name", name], flags, &["services"], command].concat()).success();
}

/// What a client prints in a container of the network that it runs in alone.
fn client(env: &TestEnv, network: &str, command: &[&str]) -> String {
    env.run([&["run", "--rm", "--network", network, "services"], command].concat()).stdout()
}

#[track_caller]
fn gives(env: &TestEnv, network: &str, command: &[&str], expected: &str) {
    let mut seen = String::new();
    let met = wait::poll(wait::DEADLINE, || {
        seen = client(env, network, command);
        (seen == expected).then_some(())
    });
    assert!(met.is_some(), "{command:?} gives {seen:?}, not {expected:?}");
}

#[test]
fn redis_is_found_by_name_and_alias() {
    let env = with_services!();
    env.run(["network", "create", "back"]).success();
    env.run(["network", "create", "front"]).success();
    let command = ["redis-server", "--bind", "0.0.0.0", "--protected-mode", "no", "--dir", "/tmp"];
    serve(&env, "db", &["--network", "name=back,alias=cache", "-u", "redis"], &command);
    gives(&env, "back", &["redis-cli", "-h", "db", "set", "k", "v1"], "OK\n");
    gives(&env, "back", &["redis-cli", "-h", "cache", "get", "k"], "v1\n");
    // Under another alias where it joins later; unknown where it is not.
    assert_eq!(client(&env, "front", &["redis-cli", "-h", "cache", "ping"]), "");
    env.run(["network", "connect", "--alias", "store", "front", "db"]).success();
    gives(&env, "front", &["redis-cli", "-h", "store", "get", "k"], "v1\n");
    env.run(["rm", "-f", "db"]).success();
    env.run(["network", "rm", "back", "front"]).success();
    env.assert_nothing_left();
}

#[test]
fn nginx_logs_who_came_through_its_port() {
    let far = far!();
    let env = with_services!();
    let port = free_port();
    let conf = "log_format who '$remote_addr $request_uri'; access_log /dev/stdout who;
        server { listen 80; listen [::]:80; return 200 'served\\n'; }\n";
    let volume =
        format!("{}:/etc/nginx/sites-enabled/default:ro", env.write("conf", conf).display());
    env.run(["network", "create", "--ipv6", "n6"]).success();
    let flags = ["--network", "n6", "-p", &format!("{port}:80"), "-v", &volume];
    serve(&env, "web", &flags, &["nginx", "-g", "daemon off;"]);
    assert!(get(&format!("127.0.0.1:{port}")).ends_with("served\n"));
    for far in far {
        assert!(get_from(far, &format!("{}:{port}", far.near4)).ends_with("served\n"));
        assert!(get_from(far, &format!("[{}]:{port}", far.near6)).ends_with("served\n"));
    }
    for who in [&far[0].v4, &far[1].v4, &far[0].v6, &far[1].v6] {
        wait::until(&format!("{who} is in the log"), || {
            env.run(["logs", "web"]).stdout().lines().any(|line| line == format!("{who} /"))
        });
    }
    env.run(["rm", "-f", "web"]).success();
    env.run(["network", "rm", "n6"]).success();
    env.assert_nothing_left();
}

#[test]
fn postgresql_has_a_fixed_address() {
    let env = with_services!();
    env.run(["network", "create", "--subnet", "10.99.5.0/24", "n1"]).success();
    let start = "PATH=$PATH:/usr/lib/postgresql/15/bin; cd /tmp
        test -s db/PG_VERSION || initdb -D db > /dev/null
        echo 'host all all 10.99.5.0/24 trust' >> db/pg_hba.conf
        exec postgres -D db -k /tmp -h 0.0.0.0";
    let flags = ["--network", "n1", "--ip", "10.99.5.10", "-u", "postgres"];
    serve(&env, "pg", &flags, &["sh", "-c", start]);
    let query = |host: &'static str, sql: &'static str| {
        ["psql", "-h", host, "-U", "postgres", "-d", "postgres", "-tAc", sql]
    };
    gives(&env, "n1", &query("10.99.5.10", "select 1"), "1\n");
    assert_eq!(client(&env, "n1", &query("pg", "create table t as select 42 as n")), "SELECT 1\n");
    // The client as the server sees it.
    gives(&env, "n1", &query("pg", "select host(inet_client_addr())"), "10.99.5.2\n");
    env.run(["restart", "pg"]).success();
    assert_eq!(address(&env, "pg", "n1"), "10.99.5.10");
    gives(&env, "n1", &query("10.99.5.10", "select n from t"), "42\n");
    env.run(["rm", "-f", "pg"]).success();
    env.run(["network", "rm", "n1"]).success();
    env.assert_nothing_left();
}

#[test]
fn nginx_follows_an_upstream_that_is_replaced() {
    let env = with_services!();
    let port = free_port();
    let conf = "server { listen 80; location / { resolver 127.0.0.11 valid=1s; set $app app;
        proxy_connect_timeout 2s; proxy_pass http://$app:80; } }\n";
    let volume =
        format!("{}:/etc/nginx/sites-enabled/default:ro", env.write("conf", conf).display());
    env.run(["network", "create", "n1"]).success();
    let app = |host: &str| {
        let start = ["run", "-d", "--name", "app", "--network", "n1", "--hostname", host];
        env.run([&start[..], &["coracle.local/whoami"]].concat()).success();
        address(&env, "app", "n1")
    };
    let first = app("one");
    let flags = ["--network", "n1", "-p", &format!("{port}:80"), "-v", &volume];
    serve(&env, "web", &flags, &["nginx", "-g", "daemon off;"]);
    let answers = |what: &str| {
        let mut seen = String::new();
        let met = wait::poll(wait::DEADLINE, || {
            seen = get(&format!("127.0.0.1:{port}"));
            seen.contains(what).then_some(())
        });
        assert!(met.is_some(), "{seen}");
    };
    answers("Hostname: one");
    env.run(["rm", "-f", "app"]).success();
    answers(" 502 ");
    // Somebody else has its address when it comes back.
    serve(&env, "other", &["--network", "n1"], &["sleep", "1000"]);
    assert_eq!(address(&env, "other", "n1"), first);
    assert_ne!(app("two"), first);
    answers("Hostname: two");
    env.run(["rm", "-f", "web", "app", "other"]).success();
    env.run(["network", "rm", "n1"]).success();
    env.assert_nothing_left();
}

/// Debian's mirror by name, over whichever path this run is about.
#[test]
fn packages_come_in_over_a_network() {
    let env = with_services!();
    env.run(["network", "create", "n1"]).success();
    let script = "apt-get update -qq && apt-get install -qq -y --no-install-recommends less && less --version | head -1";
    let run = ["run", "--rm", "--network", "n1", "services", "sh", "-c", script];
    let output = env.coracle().args(run).deadline(INSTALL_DEADLINE).run().success();
    assert!(output.stdout().contains("less "), "{output}");
    env.run(["network", "rm", "n1"]).success();
    env.assert_nothing_left();
}
