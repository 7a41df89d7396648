//! Redis, nginx and PostgreSQL from Debian packages: installed by `run`, kept by `commit`, run with volumes.

use std::{
    io::{Read, Write},
    net::{TcpStream, ToSocketAddrs},
    time::Duration,
};

use coracle_integration::{TestEnv, registry::free_port, settings::settings, skip, wait};
use rustix::process::{Pid, Signal, kill_process};

const MIRROR: &str = "deb.debian.org:80";
const INSTALL_DEADLINE: Duration = Duration::from_secs(300);

macro_rules! need_debian {
    () => {{
        if !mirror_answers() {
            skip!("no Debian mirror in reach");
        }
        match &settings().debian {
            Some(debian) => debian.display().to_string(),
            None => skip!("no Debian root: run scripts/test"),
        }
    }};
}

fn mirror_answers() -> bool {
    let addresses = MIRROR.to_socket_addrs().into_iter().flatten();
    addresses
        .into_iter()
        .any(|address| TcpStream::connect_timeout(&address, Duration::from_secs(3)).is_ok())
}

/// An image with `package` installed, as a user would make it without a builder.
fn install(env: &TestEnv, debian: &str, package: &str, changes: &[&str]) {
    env.run(["import", debian, "debian"]).success();
    let script = format!(
        "echo exit 101 > /usr/sbin/policy-rc.d; chmod +x /usr/sbin/policy-rc.d; \
         apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends {package}"
    );
    let args = ["run", "--network", "host", "--name", "installer", "debian", "sh", "-c", &script];
    env.coracle().args(args).deadline(INSTALL_DEADLINE).run().success();
    let mut commit = vec!["commit"];
    for change in changes {
        commit.extend(["-c", change]);
    }
    commit.extend(["installer", "service"]);
    env.coracle().args(commit).deadline(INSTALL_DEADLINE).run().success();
    env.run(["rm", "installer"]).success();
}

fn kill_monitor(env: &TestEnv) {
    let pid = env.run(["inspect", "--format", "{{.State.Pid}}", "s1"]).success().line();
    let status =
        std::fs::read_to_string(format!("/proc/{pid}/status")).expect("a running container");
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:\t")).expect("a parent");
    kill_process(Pid::from_raw(parent.parse().expect("a number")).expect("not zero"), Signal::KILL)
        .expect("ours");
}

#[test]
fn redis_keeps_its_data_over_stop_start_and_a_killed_monitor() {
    let debian = need_debian!();
    let env = TestEnv::bare();
    install(
        &env,
        &debian,
        "redis-server",
        &[
            "USER redis",
            "CMD [\"redis-server\",\"--dir\",\"/var/lib/redis\",\"--appendonly\",\"yes\"]",
        ],
    );
    env.run([
        "run",
        "-d",
        "--network",
        "none",
        "--restart",
        "always",
        "-v",
        "db:/var/lib/redis",
        "--name",
        "s1",
        "service",
    ])
    .success();
    let answers = |command: &[&str], expected: &str| {
        wait::until(&format!("{command:?} answers {expected}"), || {
            env.run(["exec", "s1", "redis-cli"].iter().chain(command)).stdout() == expected
        });
    };
    answers(&["ping"], "PONG\n");
    answers(&["set", "k", "v1"], "OK\n");
    env.run(["stop", "s1"]).success();
    env.run(["start", "s1"]).success();
    answers(&["get", "k"], "v1\n");
    kill_monitor(&env);
    env.wait_status("s1", "running");
    answers(&["get", "k"], "v1\n");
    env.run(["rm", "-f", "s1"]).success();
    env.run(["volume", "rm", "db"]).success();
    env.assert_nothing_left();
}

#[test]
fn nginx_serves_a_bind_mount() {
    let debian = need_debian!();
    let env = TestEnv::bare();
    install(&env, &debian, "nginx-light", &["CMD [\"nginx\",\"-g\",\"daemon off;\"]"]);
    let port = free_port();
    let conf = format!("server {{ listen 127.0.0.1:{port}; root /site; }}\n");
    let conf = env.write("conf", conf).display().to_string();
    let site = env.write("site/index.html", "hello from a volume\n");
    let site = site.parent().expect("a folder").display().to_string();
    let volumes =
        [format!("{conf}:/etc/nginx/sites-enabled/default:ro"), format!("{site}:/site:ro")];
    env.run([
        "run",
        "-d",
        "--network",
        "host",
        "-v",
        &volumes[0],
        "-v",
        &volumes[1],
        "--name",
        "s1",
        "service",
    ])
    .success();
    let served = || {
        let mut answer = String::new();
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) {
            write!(stream, "GET / HTTP/1.0\r\n\r\n").ok();
            stream.read_to_string(&mut answer).ok();
        }
        answer.ends_with("\r\n\r\nhello from a volume\n")
    };
    wait::until("nginx serves", served);
    env.run(["stop", "s1"]).success();
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "stopped, but somebody answers");
    env.run(["start", "s1"]).success();
    wait::until("nginx serves again", served);
    env.run(["rm", "-f", "s1"]).success();
    env.assert_nothing_left();
}

#[test]
fn postgresql_keeps_its_tables() {
    let debian = need_debian!();
    let env = TestEnv::bare();
    let start = "CMD [\"sh\",\"-c\",\"test -s /db/PG_VERSION || /usr/lib/postgresql/15/bin/initdb -D /db > /dev/null; \
                 exec /usr/lib/postgresql/15/bin/postgres -D /db -k /tmp -h ''\"]";
    install(&env, &debian, "postgresql-15", &["USER postgres", start]);
    // The volume takes its owner from the image's folder.
    env.run([
        "run",
        "--name",
        "owner",
        "--network",
        "none",
        "-u",
        "root",
        "service",
        "sh",
        "-c",
        "mkdir /db; chown postgres /db",
    ])
    .success();
    env.run(["commit", "-c", "USER postgres", "-c", start, "owner", "service"]).success();
    env.run(["rm", "owner"]).success();
    env.run(["run", "-d", "--network", "none", "-v", "pg:/db", "--name", "s1", "service"])
        .success();
    let query = |sql: &str, expected: &str| {
        wait::until(&format!("{sql} gives {expected}"), || {
            env.run(["exec", "s1", "psql", "-h", "/tmp", "-tAc", sql]).stdout() == expected
        });
    };
    query("select 1", "1\n");
    query("create table if not exists t as select 42 as n", "SELECT 1\n");
    env.run(["stop", "s1"]).success();
    env.run(["start", "s1"]).success();
    query("select n from t", "42\n");
    env.run(["rm", "-f", "s1"]).success();
    env.run(["volume", "rm", "pg"]).success();
    env.assert_nothing_left();
}
