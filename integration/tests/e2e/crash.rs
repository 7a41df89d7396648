//! Commands and monitors that were killed or run at once; `crash_points` has the kills at each state write.

use coracle_integration::{TestEnv, monitor, wait};

#[test]
fn a_killed_monitor_is_reported_truthfully() {
    let env = TestEnv::new();
    env.run(["run", "-d", "--network", "none", "--name", "c1", "alpine", "sleep", "1000"])
        .success();
    let init = env.run(["inspect", "--format", "{{.State.Pid}}", "c1"]).success().line();
    monitor::kill(&env, "c1");
    env.wait_status("c1", "exited");
    // A process that nobody has reaped yet has ended all the same.
    let status = std::fs::read_to_string(format!("/proc/{init}/status")).unwrap_or_default();
    assert!(
        status.is_empty() || status.contains("State:\tZ"),
        "`exited`, but process {init} lives: {status}"
    );
    env.run(["ps", "-q"]).success().stdout_is("");
    env.run(["start", "c1"]).success();
    env.run(["exec", "c1", "true"]).success();
    env.run(["stop", "-t", "0", "c1"]).success();
    env.run(["rm", "c1"]).success();
    env.assert_nothing_left();
}

#[test]
fn a_killed_monitor_does_not_end_the_restart_policy() {
    let env = TestEnv::new();
    env.run([
        "run",
        "-d",
        "--network",
        "none",
        "--restart",
        "always",
        "--name",
        "c1",
        "alpine",
        "sleep",
        "1000",
    ])
    .success();
    let init = env.run(["inspect", "--format", "{{.State.Pid}}", "c1"]).success().line();
    monitor::kill(&env, "c1");
    // Nobody is left to restart it but the next command.
    wait::until("another process runs in it", || {
        let seen = env
            .run(["inspect", "--format", "{{.State.Running}} {{.State.Pid}}", "c1"])
            .success()
            .line();
        seen.starts_with("true ") && seen != format!("true {init}")
    });
    env.run(["exec", "c1", "true"]).success();
    env.run(["rm", "-f", "c1"]).success();
    env.assert_nothing_left();
}

#[test]
fn two_commands_at_once_do_not_lose_each_others_work() {
    let env = TestEnv::new();
    let started: Vec<_> = (0..8)
        .map(|number| {
            let name = format!("c{number}");
            env.coracle()
                .args([
                    "run",
                    "-d",
                    "--network",
                    "none",
                    "--name",
                    &name,
                    "alpine",
                    "sleep",
                    "1000",
                ])
                .start()
        })
        .collect();
    for running in started {
        running.finish().success();
    }
    assert_eq!(env.run(["ps", "-q"]).success().lines().len(), 8);
    let names: Vec<String> = (0..8).map(|number| format!("c{number}")).collect();
    env.run(["rm", "-f"].into_iter().map(str::to_owned).chain(names)).success();
    env.assert_nothing_left();
}
