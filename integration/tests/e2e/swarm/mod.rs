//! Swarm: services on one machine, without a daemon.

mod as_node;
mod digests;
mod faults;
mod files;
mod kills;
mod machines;
mod plan;
mod points;
mod rolling;
mod rotate;
mod unit;
mod why;

use coracle_integration::{Output, TestEnv, wait};

/// A world that is a swarm.
#[track_caller]
pub(crate) fn swarm() -> TestEnv {
    let env = TestEnv::new();
    env.run(["swarm", "init"]).success();
    env
}

/// Ends the swarm, and looks for what it left.
#[track_caller]
pub(crate) fn end(env: TestEnv) {
    env.run(["swarm", "leave", "--force"]).success();
    env.run(["network", "rm", "docker_gwbridge"]).success();
    wait::until("the agent has ended", || agent(&env).is_none());
    env.assert_nothing_left();
}

/// A service that is there when the command ends, but may not run yet.
#[track_caller]
pub(crate) fn create(env: &TestEnv, name: &str, more: &[&str]) -> Output {
    let create = ["service", "create", "-d", "--no-resolve-image", "--name", name];
    env.run([&create, more].concat()).success()
}

/// Waits until `service ls` shows so many.
#[track_caller]
pub(crate) fn wait_replicas(env: &TestEnv, name: &str, shown: &str) {
    wait::until(&format!("{name} has {shown}"), || {
        let ls =
            ["service", "ls", "--filter", &format!("name={name}"), "--format", "{{.Replicas}}"];
        env.run(ls).success().stdout().trim() == shown
    });
}

/// The ids of the tasks that are to run, and where they are.
#[track_caller]
pub(crate) fn tasks(env: &TestEnv, name: &str) -> Vec<String> {
    let ps = ["service", "ps", name, "--no-trunc", "-f", "desired-state=running", "--format"];
    let mut tasks = env.run([&ps[..], &["{{.ID}} {{.Name}} {{.Node}}"]].concat()).success().lines();
    tasks.sort();
    tasks
}

/// The process of the agent.
pub(crate) fn agent(env: &TestEnv) -> Option<i32> {
    let data = env.data();
    let entries = std::fs::read_dir("/proc").expect("a proc file system").flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok()).find(|pid| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let mut words = line.split(|byte| *byte == 0);
        words.next() == Some(b"coracle-swarm")
            && words.next() == Some(data.as_os_str().as_encoded_bytes())
    })
}
