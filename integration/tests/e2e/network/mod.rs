//! The networks of containers: none, host, another container's, and those with addresses.
//!
//! `scripts/test` runs all of this twice: the second time without nf_tables, and more that may be missing.

mod balance;
mod dns;
mod faults;
mod isolation;
pub(crate) mod kit;
mod load;
mod outside;
mod ports;

use coracle_integration::{TestEnv, recorded, settings::settings};

recorded! {
    "network.md":
    networks_come_and_go = "Networks come and go",
    subnets = "Subnets",
    connect_and_disconnect = "Connect and disconnect",
    names_and_links = "Names and links",
    none_host_internal_container = "None, host, internal, container",
    published_ports = "Published ports",
}

#[test]
fn the_default_is_the_bridge() {
    let env = TestEnv::new();
    let output = env.run(["run", "--rm", "alpine", "cat", "/proc/net/dev"]).success();
    assert_eq!(output.stderr(), "");
    assert!(output.stdout().contains("eth0:"), "{output}");
    let asked =
        env.run(["run", "--rm", "--network", "none", "alpine", "cat", "/proc/net/dev"]).success();
    assert!(!asked.stdout().contains("eth0:"), "{asked}");
    env.assert_nothing_left();
}

#[test]
fn info_tells_how_packets_find_their_way() {
    let env = TestEnv::new();
    let path = || {
        let info = env.run(["info"]).success().stdout();
        let line = info.lines().find_map(|line| line.trim().strip_prefix("Network Path: "));
        line.unwrap_or_default().to_owned()
    };
    env.run(["run", "-d", "--name", "c1", "alpine", "sleep", "1000"]).success();
    match &settings().network_path {
        Some(wanted) => assert_eq!(path(), *wanted),
        // Where the kernel has it, and says so in the same breath.
        None => {
            let info = env.run(["info"]).success().stdout();
            let has = info.lines().any(|line| line.trim().starts_with("ok      nf-tables"));
            assert_eq!(path(), if has { "nf_tables" } else { "packets" }, "{info}");
        }
    }
    env.run(["rm", "-f", "c1"]).success();
    env.assert_nothing_left();
}

#[test]
fn a_container_keeps_its_address() {
    let env = TestEnv::new();
    env.run(["network", "create", "n1"]).success();
    for name in ["a1", "a2"] {
        env.run(["run", "-d", "--name", name, "--network", "n1", "alpine", "sleep", "1000"])
            .success();
    }
    let address = |name: &str| {
        let format = "{{.NetworkSettings.Networks.n1.IPAddress}}";
        env.run(["inspect", "--format", format, name]).success().stdout()
    };
    let (first, second) = (address("a1"), address("a2"));
    env.run(["stop", "-t", "0", "a1", "a2"]).success();
    assert_eq!(address("a2"), "\n", "none while it does not run");
    // In the other order, in which new ones would get the other's address.
    env.run(["start", "a2"]).success();
    env.run(["start", "a1"]).success();
    assert_eq!((address("a1"), address("a2")), (first, second));
    env.run(["rm", "-f", "a1", "a2"]).success();
    env.assert_nothing_left();
}

#[test]
fn another_name_answers_at_once() {
    let env = TestEnv::new();
    env.run(["network", "create", "n1"]).success();
    for name in ["asks", "old"] {
        env.run(["run", "-d", "--name", name, "--network", "n1", "alpine", "sleep", "1000"])
            .success();
    }
    env.run(["exec", "asks", "nslookup", "old"]).success();
    env.run(["rename", "old", "new"]).success();
    env.run(["exec", "asks", "nslookup", "new"]).success();
    assert_ne!(env.run(["exec", "asks", "nslookup", "old"]).status(), 0);
    env.run(["rm", "-f", "asks", "new"]).success();
    env.assert_nothing_left();
}

#[test]
fn host_shares_the_machines_network() {
    let env = TestEnv::new();
    let ours = std::fs::read_link("/proc/self/ns/net").expect("proc").display().to_string();
    env.run(["run", "--rm", "--network", "host", "alpine", "readlink", "/proc/self/ns/net"])
        .success()
        .stdout_is(&format!("{ours}\n"));
    env.assert_nothing_left();
}

#[test]
fn container_joins_anothers_network() {
    let env = TestEnv::new();
    env.run([
        "run",
        "-d",
        "--network",
        "none",
        "--name",
        "a1",
        "alpine",
        "nc",
        "-l",
        "-p",
        "8080",
        "-e",
        "echo",
        "hello",
    ])
    .success();
    let script = "until nc -w 1 127.0.0.1 8080; do usleep 10000; done";
    env.run(["run", "--rm", "--network", "container:a1", "alpine", "sh", "-c", script])
        .success()
        .stdout_is("hello\n");
    env.run(["rm", "-f", "a1"]).success();
    env.assert_nothing_left();
}
