//! Redis, nginx and PostgreSQL from Debian packages: installed by `run`, kept by `commit`, run with volumes.

mod image;
mod on_networks;

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use coracle_integration::{monitor, port::free_port, wait};

use image::with_services;

#[test]
fn redis_keeps_its_data_over_stop_start_and_a_killed_monitor() {
    let env = with_services!();
    let start = ["run", "-d", "--network", "none", "--restart", "always", "-u", "redis"];
    let flags = ["-v", "db:/var/lib/redis", "--name", "s1", "services"];
    let program = ["redis-server", "--dir", "/var/lib/redis", "--appendonly", "yes"];
    env.run([&start[..], &flags, &program].concat()).success();
    let answers = |command: &[&str], expected: &str| {
        env.wait_answer("s1", &[&["redis-cli"], command].concat(), expected);
    };
    answers(&["ping"], "PONG\n");
    answers(&["set", "k", "v1"], "OK\n");
    env.run(["stop", "s1"]).success();
    env.run(["start", "s1"]).success();
    answers(&["get", "k"], "v1\n");
    monitor::kill(&env, "s1");
    // A command that is about it, as `exec` is, does not start it again.
    env.wait_status("s1", "running");
    answers(&["get", "k"], "v1\n");
    env.run(["rm", "-f", "s1"]).success();
    env.run(["volume", "rm", "db"]).success();
    env.assert_nothing_left();
}

#[test]
fn nginx_serves_a_bind_mount() {
    let env = with_services!();
    let port = free_port();
    let conf = format!("server {{ listen 127.0.0.1:{port}; root /site; }}\n");
    let conf = env.write("conf", conf).display().to_string();
    let site = env.write("site/index.html", "hello from a volume\n");
    let site = site.parent().expect("a folder").display().to_string();
    let volumes =
        [format!("{conf}:/etc/nginx/sites-enabled/default:ro"), format!("{site}:/site:ro")];
    let start = ["run", "-d", "--network", "host", "-v", &volumes[0], "-v", &volumes[1]];
    let program = ["--name", "s1", "services", "nginx", "-g", "daemon off;"];
    env.run([&start[..], &program].concat()).success();
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
    let env = with_services!();
    let start = "test -s /db/PG_VERSION || /usr/lib/postgresql/15/bin/initdb -D /db > /dev/null; \
                 exec /usr/lib/postgresql/15/bin/postgres -D /db -k /tmp -h ''";
    // The volume takes its owner from the image's folder.
    let make = ["run", "--name", "owner", "--network", "none", "services", "sh", "-c"];
    env.run([&make[..], &["mkdir /db; chown postgres /db"]].concat()).success();
    env.run(["commit", "owner", "services"]).success();
    env.run(["rm", "owner"]).success();
    let flags = ["run", "-d", "--network", "none", "-u", "postgres", "-v", "pg:/db"];
    let program = ["--name", "s1", "services", "sh", "-c", start];
    env.run([&flags[..], &program].concat()).success();
    let query = |sql: &str, expected: &str| {
        env.wait_answer("s1", &["psql", "-h", "/tmp", "-tAc", sql], expected);
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
