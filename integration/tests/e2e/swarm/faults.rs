//! Processes that are killed: tasks run on, and what was asked for comes about.

use std::time::Duration;

use coracle_integration::{TestEnv, monitor, wait};
use rustix::process::{Pid, Signal, kill_process};

use super::{agent, create, end, swarm, tasks, wait_replicas};

/// Kills the agent, and waits until it is gone.
fn kill_agent(env: &TestEnv) {
    let Some(pid) = agent(env) else { return };
    kill_process(Pid::from_raw(pid).expect("a pid"), Signal::KILL).ok();
    // Its command line goes before its socket does, behind which somebody seems to be until then.
    wait::until("it is gone", || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit(')').next().is_none_or(|rest| rest.is_empty() || rest.starts_with(" Z"))
    });
}

#[test]
fn tasks_outlive_an_agent_that_is_killed() {
    let env = swarm();
    create(
        &env,
        "s",
        &[
            "--replicas",
            "3",
            "--restart-delay",
            "0s",
            "--stop-grace-period",
            "0s",
            "alpine",
            "sleep",
            "100000",
        ],
    );
    wait_replicas(&env, "s", "3/3");
    let before = tasks(&env, "s");
    kill_agent(&env);
    assert_eq!(env.run(["ps", "-q"]).success().lines().len(), 3);
    // Any command wakes another, which takes over what runs.
    wait::until("there is another", || env.run(["ps"]).status() == 0 && agent(&env).is_some());
    wait_replicas(&env, "s", "3/3");
    assert_eq!(tasks(&env, "s"), before);
    // One that ends while there is none is replaced by the next.
    let first = env.run(["ps", "-q", "--filter", "name=^s.1"]).success().line();
    kill_agent(&env);
    monitor::kill(&env, &first);
    wait::until("it is replaced", || {
        let now = env.run(["ps", "-q", "--filter", "name=^s.1"]).success().stdout();
        !now.trim().is_empty() && now.trim() != first
    });
    wait_replicas(&env, "s", "3/3");
    env.run(["service", "rm", "s"]).success();
    end(env);
}

/// The pids of the first processes of containers that run, by what is on the disk: no command is given.
fn on_disk(env: &TestEnv) -> Vec<i64> {
    let folders = std::fs::read_dir(env.data().join("containers")).expect("the containers");
    let pid = |folder: std::io::Result<std::fs::DirEntry>| {
        let state = std::fs::read(folder.ok()?.path().join("state.json")).ok()?;
        let life: serde_json::Value = serde_json::from_slice(&state).ok()?;
        (life["state"]["Status"] == "running").then(|| life["init"]["pid"].as_i64()).flatten()
    };
    folders.filter_map(pid).collect()
}

/// Nobody types anything: the monitor of a task starts the agent that was killed.
#[test]
fn a_task_that_ends_has_its_agent_back() {
    let env = swarm();
    let folder = env.root().join("shared");
    std::fs::create_dir(&folder).expect("a folder");
    std::fs::write(folder.join("ok"), "").expect("a file");
    let mount = format!("type=bind,source={},target=/shared", folder.display());
    let quick = ["--restart-delay", "0s", "--stop-grace-period", "0s"];
    let health = ["--health-cmd", "test -e /shared/ok", "--health-interval", "100ms"];
    let more = ["--health-retries", "1", "--replicas", "2", "--mount", &mount];
    create(&env, "s", &[&quick[..], &health, &more, &["alpine", "sleep", "100000"]].concat());
    wait_replicas(&env, "s", "2/2");
    let before = on_disk(&env);
    assert_eq!(before.len(), 2);
    // It has no time to be gone: its door is open still.
    let old = agent(&env).expect("an agent");
    kill_process(Pid::from_raw(old).expect("a pid"), Signal::KILL).expect("it is ours");
    let first = i32::try_from(before[0]).expect("a pid");
    kill_process(Pid::from_raw(first).expect("a pid"), Signal::KILL).expect("it is ours");
    wait::until("there is another agent", || agent(&env).is_some_and(|pid| pid != old));
    let replaced = |before: &[i64]| {
        let now = on_disk(&env);
        now.len() == 2 && now.iter().any(|pid| !before.contains(pid))
    };
    wait::until("it is replaced", || replaced(&before));
    assert!(on_disk(&env).contains(&before[1]), "a task that was well was replaced");
    wait_replicas(&env, "s", "2/2");
    // One that is unhealthy is told of too, and this agent is replaced as the first one was.
    let before = on_disk(&env);
    kill_agent(&env);
    std::fs::remove_file(folder.join("ok")).expect("it is there");
    wait::until("there is a third agent", || agent(&env).is_some());
    // Not before: one that is healthy again when the agent looks is left alone.
    let stopped = || before.iter().any(|pid| !on_disk(&env).contains(pid));
    wait::until("one is stopped", stopped);
    std::fs::write(folder.join("ok"), "").expect("a file");
    wait::until("it is replaced too", || replaced(&before));
    env.run(["service", "rm", "s"]).success();
    end(env);
}

/// Whenever it is killed on its way, the next one brings the service to where it was to be.
#[test]
fn an_agent_killed_on_its_way_is_followed_by_another() {
    let env = swarm();
    create(
        &env,
        "s",
        &["--replicas", "1", "--stop-grace-period", "0s", "alpine", "sleep", "100000"],
    );
    wait_replicas(&env, "s", "1/1");
    let kept = tasks(&env, "s");
    for round in 0..12u32 {
        let replicas = if round % 2 == 0 { 5 } else { 1 };
        env.run(["service", "scale", "-d", &format!("s={replicas}")]).success();
        // Somewhere between the first and the last of what it does.
        let moment = Duration::from_millis(u64::from(round) * 9);
        let begun = std::time::Instant::now();
        wait::until("the moment has come", || begun.elapsed() >= moment);
        kill_agent(&env);
        wait_replicas(&env, "s", &format!("{replicas}/{replicas}"));
        wait::until("what is too much is gone", || {
            env.run(["ps", "-aq", "--filter", "status=running"]).success().lines().len() == replicas
        });
        assert!(tasks(&env, "s").contains(&kept[0]), "a task that was well was replaced");
    }
    env.run(["service", "rm", "s"]).success();
    // What an agent was removing when it was killed is swept by whoever makes a container next.
    env.run(["run", "--rm", "alpine", "true"]).success();
    end(env);
}

/// What the agent did so far: how often it was switched to or from, and its child processes.
fn doings(agent: i32) -> (Vec<String>, Vec<String>) {
    let status = std::fs::read_to_string(format!("/proc/{agent}/status")).unwrap_or_default();
    let switches = status.lines().filter(|line| line.contains("ctxt_switches"));
    let children = std::fs::read_to_string(format!("/proc/{agent}/task/{agent}/children"));
    let children = children.unwrap_or_default().split_whitespace().map(str::to_owned).collect();
    (switches.map(str::to_owned).collect(), children)
}

/// Ended tasks stay in the history, and cost nothing there.
#[test]
fn an_agent_with_ended_tasks_sleeps() {
    let env = swarm();
    create(
        &env,
        "s",
        &["--restart-delay", "0s", "--stop-grace-period", "0s", "alpine", "sleep", "100000"],
    );
    wait_replicas(&env, "s", "1/1");
    for _ in 0..3 {
        let old = env.run(["ps", "-q", "--filter", "name=^s.1"]).success().line();
        env.run(["kill", &old]).success();
        wait::until("it is replaced", || {
            let now = env.run(["ps", "-q", "--filter", "name=^s.1"]).success().stdout();
            !now.trim().is_empty() && now.trim() != old
        });
    }
    wait_replicas(&env, "s", "1/1");
    // So do those that could not begin.
    let fails = ["--restart-delay", "0s", "--restart-max-attempts", "2", "alpine", "nosuch"];
    create(&env, "f", &fails);
    wait::until("it is not tried again", || {
        env.run(["service", "ps", "-q", "f"]).success().lines().len() == 3
    });
    let agent = agent(&env).expect("an agent");
    wait::until("it has but the child that runs", || doings(agent).1.len() == 1);
    // A busy one is passed over by the machine now and then, but not so many times in a row.
    let (mut last, mut quiet) = (Vec::new(), 0);
    wait::until("nothing wakes it", || {
        let now = doings(agent).0;
        quiet = if now == last { quiet + 1 } else { 0 };
        last = now;
        quiet == 60
    });
    env.run(["service", "rm", "s", "f"]).success();
    end(env);
}
