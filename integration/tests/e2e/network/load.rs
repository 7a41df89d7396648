//! Many connections, and floods of a hostile container: nobody else notices, and the helper stays small.
//!
//! `scripts/bench network load` measures the same.

use coracle_integration::{
    TestEnv,
    hostile::{FLOOD_PACKETS, FLOODS, GROWTH_MAX, NEW, idle_connections, private_memory},
    port::free_port,
    settings::settings,
    skip, wait,
};

use super::kit::{far, helper, idle, within};

/// The program that makes traffic, or a skip.
macro_rules! traffic {
    () => {
        match &settings().traffic {
            Some(traffic) => traffic,
            None => skip!("no program that makes traffic beside the binary"),
        }
    };
}

#[test]
fn a_flood_keeps_nobody_else_from_an_answer() {
    let [far, _] = far!();
    let tool = format!("{}:/traffic:ro", traffic!().display());
    let env = TestEnv::new();
    env.run(["network", "create", "n1"]).success();
    idle(&env, "hostile", &["--network", "n1", "-v", &tool]);
    idle(&env, "neighbour", &["--network", "n1"]);
    let pid = helper(&env);
    let memory = || private_memory(pid.as_raw_nonzero().get().unsigned_abs()).expect("it lives");
    let before = memory();
    for kind in FLOODS {
        let to = match kind {
            "syn" => &far.nobody,
            "names" => "127.0.0.11",
            _ => &far.v4,
        };
        let words = ["exec", "hostile", "/traffic", "flood", kind, to, FLOOD_PACKETS];
        let flood = env.coracle().args(words).start();
        // While it lasts and right after it.
        for _ in 0..2 {
            wait::until("the neighbour is answered", || {
                let asked = format!("nc -w 10 {} 7000 < /dev/null", far.v4);
                within(&env, "neighbour", &asked).status() == 0
            });
            wait::until("names are answered", || {
                within(&env, "neighbour", "nslookup -type=a hostile").status() == 0
            });
        }
        let sent = flood.finish().success().stdout();
        assert!(sent.trim().parse::<u32>().is_ok_and(|sent| sent > 0), "{kind}: {sent}");
        assert_eq!(helper(&env), pid, "{kind}: it is the same helper");
        let grown = memory() - before;
        assert!(grown <= GROWTH_MAX, "{kind}: {grown} kB more");
    }
    env.run(["rm", "-f", "hostile", "neighbour"]).success();
    env.run(["network", "rm", "n1"]).success();
    env.assert_nothing_left();
}

/// As many idle ones as the limit of descriptors allows, 10 000 at most: that takes a limit of 37 400.
#[test]
fn idle_connections_are_kept_while_others_come_and_go() {
    let traffic = traffic!();
    let env = TestEnv::new();
    let port = free_port();
    let (publish, tool) =
        (format!("127.0.0.1:{port}:7"), format!("{}:/traffic:ro", traffic.display()));
    let start = ["run", "-d", "--name", "s1", "-p", &publish, "-v", &tool];
    env.run([&start[..], &["alpine", "/traffic", "serve", "7"]].concat()).success();
    let to = format!("127.0.0.1:{port}");
    wait::until("the server answers", || {
        env.program(traffic).args(["connect", &to, "1"]).run().status() == 0
    });
    let idle = idle_connections().to_string();
    println!("{idle} idle connections");
    let hold = env.program(traffic).args([&["hold", to.as_str(), &idle], &NEW[..]].concat());
    let held = hold.deadline(std::time::Duration::from_secs(240)).run().success().stdout();
    assert_eq!(held.split_whitespace().next(), Some("0"), "lost, of {idle}: {held}");
    env.run(["rm", "-f", "s1"]).success();
    env.assert_nothing_left();
}
