//! A monitor and the network helper killed in the middle of a rolling update.

use std::path::Path;

use coracle_integration::{TestEnv, leak, monitor, port::free_port, wait};
use rustix::process::{Signal, kill_process};

use super::{create, end, swarm, tasks, wait_replicas};

/// Three replicas that answer, and one of another service.
fn services(env: &TestEnv, port: u16) {
    let publish = format!("{port}:80");
    let grace = ["--stop-grace-period", "0s", "--restart-delay", "0s", "--update-monitor", "1s"];
    let web = ["--replicas", "3", "-p", &publish, "--update-failure-action", "continue"];
    let program = ["alpine", "httpd", "-f", "-p", "80", "-h", "/etc"];
    create(env, "web", &[&web[..], &grace, &program].concat());
    create(env, "well", &[&grace[..], &["alpine", "sleep", "100000"]].concat());
    wait_replicas(env, "web", "3/3");
    wait_replicas(env, "well", "1/1");
}

fn is_updated(env: &TestEnv) -> bool {
    let format = "{{if .UpdateStatus}}{{.UpdateStatus.State}}{{end}}";
    let state = env.run(["service", "inspect", "web", "--format", format]).success();
    state.stdout().trim() == "completed"
}

/// The tasks of the old spec that run still.
fn left(env: &TestEnv, before: &[String]) -> usize {
    tasks(env, "web").iter().filter(|task| before.contains(task)).count()
}

fn over(env: TestEnv) {
    env.run(["service", "rm", "web", "well"]).success();
    wait::until("the containers are gone", || env.containers().is_empty());
    end(env);
}

#[test]
fn a_network_helper_killed_during_an_update_with_traffic_is_replaced() {
    let env = swarm();
    let port = free_port();
    services(&env, port);
    let (before, well) = (tasks(&env, "web"), tasks(&env, "well"));
    let ask = format!("curl -sf -m 5 http://127.0.0.1:{port}/hostname");
    // Traffic all the time; what is lost while there is no helper is lost.
    let traffic = format!("until [ -e stop ]; do {ask} && echo; done > answers; true");
    let traffic = env.program(Path::new("/bin/bash")).args(["-c", &traffic]).start();
    let answers = || {
        let answers = std::fs::read_to_string(env.work().join("answers")).unwrap_or_default();
        answers.lines().filter(|line| !line.is_empty()).count()
    };
    wait::until("there is traffic", || answers() > 0);
    env.run(["service", "update", "-d", "--force", "web"]).success();
    // Once with each number of old tasks.
    for old in [2, 1, 0] {
        wait::until("the update goes on", || left(&env, &before) <= old);
        for helper in leak::processes_named(env.root(), "coracle-netd") {
            kill_process(helper, Signal::KILL).ok();
        }
        let so_far = answers();
        wait::until("it is answered again", || answers() > so_far + 5);
    }
    wait::until("the update is complete", || is_updated(&env));
    wait_replicas(&env, "web", "3/3");
    env.write("stop", "");
    traffic.finish().success();
    assert_eq!(left(&env, &before), 0);
    assert_eq!(tasks(&env, "well"), well, "a task that was well was replaced");
    assert_eq!(env.run(["ps", "-q"]).success().lines().len(), 4);
    // Each was replaced once, but for one that was being put on its network just then.
    let all = env.run(["service", "ps", "--no-trunc", "web"]).success().lines();
    let lost = |line: &&String| line.contains("the network helper ended");
    let made = all.len() - 1 - all.iter().filter(lost).count();
    assert_eq!(made, 6, "{all:#?}");
    over(env);
}

#[test]
fn monitors_killed_during_an_update_are_failures_of_their_tasks_alone() {
    let env = swarm();
    services(&env, free_port());
    let (before, well) = (tasks(&env, "web"), tasks(&env, "well"));
    env.run(["service", "update", "-d", "--force", "web"]).success();
    wait::until("the update goes on", || left(&env, &before) <= 2);
    // One of an old task, which is lost; or a new one, if it is late.
    let victim = env.run(["ps", "-q", "--filter", "name=^web.3"]).success().stdout();
    if let Some(victim) = victim.lines().next() {
        for monitor in coracle_integration::agreement::monitors(&env) {
            if monitor.0.starts_with(victim) {
                kill_process(
                    rustix::process::Pid::from_raw(monitor.1[0]).expect("a pid"),
                    Signal::KILL,
                )
                .ok();
            }
        }
    }
    wait::until("the update is complete", || is_updated(&env));
    wait_replicas(&env, "web", "3/3");
    assert_eq!(left(&env, &before), 0);
    // One of a new task.
    let victim = env.run(["ps", "-q", "--filter", "name=^web.1"]).success().line();
    let updated = tasks(&env, "web");
    monitor::kill(&env, &victim);
    wait::until("it is replaced", || left(&env, &updated) == 2);
    wait_replicas(&env, "web", "3/3");
    assert_eq!(tasks(&env, "well"), well, "a task that was well was replaced");
    assert_eq!(env.run(["ps", "-q"]).success().lines().len(), 4);
    over(env);
}
