//! Killed at any moment: the next command tells the truth, works, and cleans up.
//!
//! The moment is not chosen by the product: a command's usual time is measured, and it is killed at growing
//! fractions of that time. A test hook in the binary would be more exact and is one more thing to trust.

use std::time::{Duration, Instant};

use coracle_integration::{TestEnv, fixture, wait};
use rustix::process::{Pid, Signal, kill_process};

const POINTS: u32 = 12;

/// How long a command takes when nothing disturbs it.
fn usual_time(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

#[test]
fn load_leaves_each_image_whole_or_absent() {
    let archive = fixture::archive().display().to_string();
    let whole = {
        let env = TestEnv::bare();
        usual_time(|| drop(env.run(["load", "-q", "-i", &archive]).success()))
    };
    for point in 0..=POINTS {
        let env = TestEnv::bare();
        env.coracle()
            .args(["load", "-q", "-i", &archive])
            .start()
            .kill_after(whole * point / POINTS);
        for image in env.run(["images", "--format", "{{.Repository}}"]).success().lines() {
            env.run(["run", "--rm", "--network", "none", &image, "/bin/busybox", "true"]).success();
        }
        env.run(["load", "-q", "-i", &archive]).success();
        env.run(["run", "--rm", "--network", "none", "alpine", "echo", "whole"])
            .success()
            .stdout_is("whole\n");
        env.assert_nothing_left();
    }
}

#[test]
fn run_d_is_there_or_not_and_can_be_removed() {
    let run = ["run", "-d", "--network", "none", "--name", "c1", "alpine", "sleep", "1000"];
    let whole = {
        let env = TestEnv::new();
        usual_time(|| drop(env.run(run).success()))
    };
    for point in 0..=POINTS {
        let env = TestEnv::new();
        env.coracle().args(run).start().kill_after(whole * point / POINTS);
        let listed = env.run(["ps", "-a", "--format", "{{.Names}} {{.State}}"]).success().stdout();
        match listed.as_str() {
            "" => {}
            "c1 running\n" => drop(env.run(["exec", "c1", "true"]).success()),
            "c1 created\n" | "c1 exited\n" | "c1 dead\n" => drop(env.run(["start", "c1"])),
            other => panic!("killed at {point}/{POINTS}: {other}"),
        }
        env.run(["rm", "-f", "c1"]).success();
        env.run(run).success();
        env.run(["exec", "c1", "true"]).success();
        env.run(["rm", "-f", "c1"]).success();
        env.assert_nothing_left();
    }
}

#[test]
fn rm_and_stop_can_be_repeated() {
    let env = TestEnv::new();
    let start = || {
        env.run([
            "run",
            "-d",
            "--network",
            "none",
            "--init",
            "--name",
            "c1",
            "alpine",
            "sleep",
            "1000",
        ])
        .success()
    };
    start();
    let whole = usual_time(|| drop(env.run(["rm", "-f", "c1"]).success()));
    for point in 0..=POINTS {
        start();
        env.coracle().args(["rm", "-f", "c1"]).start().kill_after(whole * point / POINTS);
        env.run(["rm", "-f", "c1"]).success();
        env.run(["ps", "-aq"]).success().stdout_is("");
    }
    env.assert_nothing_left();
}

#[test]
fn commit_is_whole_or_absent() {
    let env = TestEnv::new();
    env.run([
        "run",
        "--network",
        "none",
        "--name",
        "c1",
        "alpine",
        "sh",
        "-c",
        "seq 10000 > /numbers",
    ])
    .success();
    let whole = usual_time(|| drop(env.run(["commit", "c1", "first"]).success()));
    for point in 0..=POINTS {
        env.coracle().args(["commit", "c1", "made"]).start().kill_after(whole * point / POINTS);
        if env.run(["images", "-q", "made"]).success().stdout().is_empty() {
            continue;
        }
        env.run(["run", "--rm", "--network", "none", "made", "sh", "-c", "wc -l < /numbers"])
            .success()
            .stdout_is("10000\n");
        env.run(["rmi", "made"]).success();
    }
    env.run(["commit", "c1", "made"]).success();
    env.run(["rm", "c1"]).success();
    env.assert_nothing_left();
}

/// The process that looks after a container: the parent of its init.
fn monitor_of(env: &TestEnv, container: &str) -> Pid {
    let pid = env.run(["inspect", "--format", "{{.State.Pid}}", container]).success().line();
    let status =
        std::fs::read_to_string(format!("/proc/{pid}/status")).expect("a running container");
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:\t")).expect("a parent");
    Pid::from_raw(parent.parse().expect("a number")).expect("not zero")
}

#[test]
fn a_killed_monitor_is_reported_truthfully() {
    let env = TestEnv::new();
    env.run(["run", "-d", "--network", "none", "--name", "c1", "alpine", "sleep", "1000"])
        .success();
    let init = env.run(["inspect", "--format", "{{.State.Pid}}", "c1"]).success().line();
    kill_process(monitor_of(&env, "c1"), Signal::KILL).expect("our own process");
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
    kill_process(monitor_of(&env, "c1"), Signal::KILL).expect("our own process");
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
