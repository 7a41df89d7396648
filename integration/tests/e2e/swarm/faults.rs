//! Processes that are killed: tasks run on, and what was asked for comes about.

use std::time::Duration;

use coracle_integration::{TestEnv, monitor, wait};
use rustix::process::{Pid, Signal, kill_process};

use super::{agent, create, end, swarm, tasks, wait_replicas};

/// Kills the agent, and waits until it is gone.
fn kill_agent(env: &TestEnv) {
    let Some(pid) = agent(env) else { return };
    kill_process(Pid::from_raw(pid).expect("a pid"), Signal::KILL).ok();
    wait::until("it is gone", || agent(env) != Some(pid));
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
