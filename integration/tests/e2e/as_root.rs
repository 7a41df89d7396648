//! Root runs containers too, in the same way. `scripts/test` runs these when it is started as root.

use coracle_integration::TestEnv;

#[test]
fn root_runs_stops_and_removes_containers() {
    let env = TestEnv::new();
    env.run(["run", "--rm", "--network", "none", "alpine", "echo", "hello"])
        .success()
        .stdout_is("hello\n");
    env.run([
        "run",
        "-d",
        "--network",
        "none",
        "--name",
        "web",
        "-v",
        "data:/data",
        "alpine",
        "sleep",
        "1000",
    ])
    .success();
    env.run(["exec", "web", "sh", "-c", "echo x > /data/f; id -u"]).success().stdout_is("0\n");
    env.run(["stop", "-t", "0", "web"]).success();
    env.run(["start", "web"]).success();
    env.run(["exec", "web", "cat", "/data/f"]).success().stdout_is("x\n");
    env.run(["rm", "-f", "web"]).success();
    env.assert_nothing_left();
}

#[test]
fn a_container_of_root_has_no_more_than_dockers_rights() {
    let env = TestEnv::new();
    let script = "grep -E '^(CapEff|Seccomp):' /proc/self/status";
    env.run(["run", "--rm", "--network", "none", "alpine", "sh", "-c", script])
        .success()
        .stdout_is("CapEff:\t00000000a80425fb\nSeccomp:\t2\n");
    env.assert_nothing_left();
}
