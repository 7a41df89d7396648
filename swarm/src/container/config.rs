//! `Config` of a task's container.

use std::collections::BTreeMap;

use coracle_runtime::model::{Config, Empty};
use coracle_words::port::PortKey;

use super::{Facts, network};
use crate::model::{ContainerSpec, Task};

/// What a container says of its task.
pub const LABEL: &str = "com.docker.swarm";

const SECOND: i64 = 1_000_000_000;

pub(super) fn build(task: &Task, spec: &ContainerSpec, facts: &Facts) -> Config {
    let given = |entry: &str| entry.split('=').next().unwrap_or_default().to_owned();
    let own: Vec<String> = spec.env.iter().map(|entry| given(entry)).collect();
    let free = |entry: &&String| !own.contains(&given(entry));
    let env = facts.defaults.environment.iter().filter(free).chain(&spec.env).cloned().collect();
    let words = |list: &Vec<String>| (!list.is_empty()).then(|| list.clone());
    Config {
        hostname: spec.hostname.clone(),
        user: spec.user.clone(),
        attach_stdout: false,
        attach_stderr: false,
        exposed_ports: exposed(task),
        tty: spec.tty,
        open_stdin: spec.open_stdin,
        env,
        cmd: words(&spec.args),
        healthcheck: spec.healthcheck.clone(),
        image: spec.image.clone(),
        working_dir: spec.dir.clone(),
        entrypoint: words(&spec.command),
        labels: labels(task, spec),
        stop_signal: spec.stop_signal.clone(),
        stop_timeout: spec.stop_grace_period.map(seconds),
        ..Config::default()
    }
}

/// Whole seconds, and never fewer than were asked for.
fn seconds(nanoseconds: i64) -> i64 {
    let whole = nanoseconds / SECOND;
    if nanoseconds % SECOND > 0 { whole + 1 } else { whole }
}

fn labels(task: &Task, spec: &ContainerSpec) -> BTreeMap<String, String> {
    let mut labels = spec.labels.clone();
    labels.extend(task.labels.clone());
    // Nobody else says what a container belongs to.
    for (key, value) in [
        ("node.id", task.node_id.clone()),
        ("service.id", task.service_id.clone()),
        ("service.name", task.own.service_name.clone()),
        ("task", String::new()),
        ("task.id", task.id.clone()),
        ("task.name", task.name()),
    ] {
        labels.insert(format!("{LABEL}.{key}"), value);
    }
    labels
}

/// Those of the host mode: the others are reached on another way.
fn exposed(task: &Task) -> BTreeMap<PortKey, Empty> {
    network::host_ports(task).map(|port| (network::key(port), Empty {})).collect()
}
