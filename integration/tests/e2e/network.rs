//! The networks there are: none, host, and that of another container.

use coracle_integration::{TestEnv, output::NO_NETWORK};

#[test]
fn the_default_is_no_network_and_says_so_once() {
    let env = TestEnv::new();
    let output = env.run(["run", "--rm", "alpine", "cat", "/proc/net/dev"]).success();
    assert_eq!(output.whole_stderr(), NO_NETWORK);
    let interfaces = output.lines().iter().filter(|line| line.contains(':')).count();
    assert_eq!(interfaces, 1, "{output}");
    let asked = env.run(["run", "--rm", "--network", "none", "alpine", "true"]).success();
    assert_eq!(asked.whole_stderr(), "");
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
