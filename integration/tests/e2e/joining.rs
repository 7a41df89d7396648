//! Namespaces of another container, also where those are the host's.

use std::fs;

use coracle_integration::{TestEnv, leak, monitor, wait};
use rustix::process::Pid;

/// What a container says of its namespaces.
const NAMESPACES: &str = "for kind in net pid ipc; do readlink /proc/self/ns/$kind; done";

fn on_the_host(env: &TestEnv) -> String {
    env.sh(NAMESPACES).success().stdout()
}

#[test]
fn whoever_joins_a_container_of_the_host_is_on_the_host() {
    let env = TestEnv::new();
    let host = on_the_host(&env);
    let all = ["--network", "host", "--pid", "host", "--ipc", "host"];
    env.run(
        ["run", "-d", "--name", "c1"].into_iter().chain(all).chain(["alpine", "sleep", "1000"]),
    )
    .success();
    let joining =
        |other: &str| ["network", "pid", "ipc"].map(|kind| format!("--{kind}=container:{other}"));
    let look = |other: &str| {
        env.coracle()
            .args(["run", "--rm"])
            .args(joining(other))
            .args(["alpine", "sh", "-c", NAMESPACES])
            .run()
            .success()
            .stdout_is(&host);
    };
    look("c1");
    // And through one that has joined it.
    let words = ["run", "-d", "--name", "c2"].map(str::to_owned).into_iter().chain(joining("c1"));
    env.run(words.chain(["alpine", "sleep", "1000"].map(str::to_owned))).success();
    look("c2");
    env.run(["exec", "c2", "sh", "-c", NAMESPACES]).success().stdout_is(&host);
    env.run(["restart", "-t", "0", "c2"]).success();
    env.run(["exec", "c2", "sh", "-c", NAMESPACES]).success().stdout_is(&host);
    // One at a time: the others are its own.
    let own = env
        .run([
            "run",
            "--rm",
            "--network",
            "none",
            "--pid",
            "container:c1",
            "alpine",
            "sh",
            "-c",
            NAMESPACES,
        ])
        .success()
        .lines();
    let host: Vec<&str> = host.lines().collect();
    assert_eq!((own[1].as_str(), own[0] == host[0], own[2] == host[2]), (host[1], false, false));
    env.run(["rm", "-f", "c1", "c2"]).success();
    env.assert_nothing_left();
}

#[test]
fn the_network_of_a_container_without_one_can_be_joined() {
    let env = TestEnv::new();
    env.run(["run", "-d", "--name", "c1", "--network", "none", "alpine", "sleep", "1000"])
        .success();
    let own = env.run(["exec", "c1", "readlink", "/proc/self/ns/net"]).success().stdout();
    let words = ["run", "-d", "--network", "container:c1", "--name"];
    env.run(words.into_iter().chain(["c2", "alpine", "sleep", "1000"])).success();
    // Through two: what names lie in `/etc` is the first one's.
    let look = "readlink /proc/self/ns/net; ls /sys/class/net; hostname";
    let name = env.run(["exec", "c1", "hostname"]).success().stdout();
    env.run(["run", "--rm", "--network", "container:c2", "alpine", "sh", "-c", look])
        .success()
        .stdout_is(&format!("{own}lo\n{name}"));
    // The namespace outlives the container that made it, and so do commands in it.
    env.run(["rm", "-f", "c1"]).success();
    env.run(["exec", "c2", "readlink", "/proc/self/ns/net"]).success().stdout_is(&own);
    env.run(["rm", "-f", "c2"]).success();
    env.assert_nothing_left();
}

#[test]
fn networks_without_addresses_list_who_is_there() {
    let env = TestEnv::new();
    for mode in ["host", "none"] {
        env.run(["run", "-d", "--name", mode, "--network", mode, "alpine", "sleep", "1000"])
            .success();
        env.run(["create", "--network", mode, "alpine", "true"]).success();
        let id = env.run(["inspect", "-f", "{{.Id}}", mode]).line();
        let listed = env.run(["network", "inspect", mode, "-f", "{{json .Containers}}"]).json();
        let member = serde_json::json!({
            "Name": mode, "EndpointID": id, "MacAddress": "", "IPv4Address": "", "IPv6Address": "",
        });
        assert_eq!(listed, serde_json::json!({ id: member }));
        env.run(["rm", "-f", mode]).success();
        env.run(["network", "inspect", mode, "-f", "{{len .Containers}}"])
            .success()
            .stdout_is("0\n");
    }
    env.sh("docker ps -aq | xargs docker rm").success();
    env.assert_nothing_left();
}

#[test]
fn a_service_joins_one_on_the_host() {
    let env = TestEnv::new();
    let host = on_the_host(&env);
    env.write(
        "compose.yaml",
        format!(
            "services:
  base: {{image: alpine, network_mode: host, pid: host, ipc: host, init: true, command: [sleep, '1000']}}
  beside:
    image: alpine
    network_mode: service:base
    pid: service:base
    ipc: service:base
    command: [sh, -c, '{}; exec sleep 1000']
",
            NAMESPACES.replace('$', "$$")
        ),
    );
    env.run(["compose", "-p", "t", "up", "-d"]).success();
    let logs = || env.run(["compose", "-p", "t", "logs", "--no-log-prefix", "beside"]).stdout();
    wait::until("the service has looked", || logs() == host);
    env.run(["compose", "-p", "t", "down", "-t", "0"]).success();
    env.assert_nothing_left();
}

/// A pid namespace ends all that is in it; without one of its own a container does.
#[test]
fn what_has_no_pid_namespace_of_its_own_ends_with_all_its_processes() {
    let env = TestEnv::new();
    env.run(["run", "-d", "--name", "other", "alpine", "sleep", "1001"]).success();
    let sleeps = |seconds: &str| {
        let of_world = leak::processes_named(env.root(), "sleep");
        let says = |pid: &Pid| {
            let line = fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero()));
            line.is_ok_and(|line| line.ends_with(format!("\0{seconds}\0").as_bytes()))
        };
        of_world.iter().filter(|pid| says(pid)).count()
    };
    let program = "(sleep 1000 &); sleep 1000 & trap 'exit 3' TERM; while :; do sleep 0.1; done";
    for pid in ["host", "container:other"] {
        for end in
            ["docker kill c1", "docker stop -t 20 c1", "docker rm -f c1", "docker restart -t 0 c1"]
        {
            env.run(["run", "-d", "--name", "c1", "--pid", pid, "alpine", "sh", "-c", program])
                .success();
            env.run(["exec", "-d", "c1", "sleep", "1000"]).success();
            wait::until("all three sleep", || sleeps("1000") == 3);
            env.sh(end).success();
            match end.contains("restart") {
                true => wait::until("two sleep again", || sleeps("1000") == 2),
                false => assert_eq!(sleeps("1000"), 0, "after {end} with --pid {pid}"),
            }
            env.sh("docker rm -f c1 2> /dev/null").status();
            assert_eq!((sleeps("1000"), sleeps("1001")), (0, 1), "after {end} with --pid {pid}");
        }
        // One that ends at once, and one whose monitor is killed.
        env.run(["run", "--rm", "--pid", pid, "alpine", "sh", "-c", "sleep 1000 & exec true"])
            .success();
        assert_eq!(sleeps("1000"), 0, "after the end with --pid {pid}");
        env.run(["run", "-d", "--name", "c1", "--pid", pid, "alpine", "sh", "-c", program])
            .success();
        wait::until("both sleep", || sleeps("1000") == 2);
        monitor::kill(&env, "c1");
        env.run(["rm", "-f", "c1"]).success();
        assert_eq!((sleeps("1000"), sleeps("1001")), (0, 1), "after its monitor, --pid {pid}");
    }
    env.run(["rm", "-f", "other"]).success();
    env.assert_nothing_left();
}
