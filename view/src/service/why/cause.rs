//! The cause why one place of a service does not run what is asked for.

use std::collections::BTreeMap;

use coracle_runtime::model::State as ContainerState;
use coracle_swarm::model::task::Condition;
use coracle_swarm::model::{
    Availability, Mode, Node, NodeState, Placement, Service, Task, TaskState,
};
use coracle_swarm::state::State;

use super::{Answer, Line, Seen};
use crate::node::name_of;
use crate::service::progress::is_up_to_date;

/// Whether the swarm still wants a task to run, or to come to its end.
pub(super) fn is_wanted(task: &Task) -> bool {
    task.desired_state <= TaskState::Complete && !task.status.state.is_over()
}

/// The node of a task, when it is lost.
pub(super) fn lost_node<'a>(state: &'a State, task: &Task) -> Option<&'a Node> {
    state.nodes.get(&task.node_id).filter(|node| node.status.state == NodeState::Down)
}

/// The chain for the tasks of a place, of which the newest is first.
pub(super) fn of(
    state: &State,
    service: &Service,
    tasks: &[&Task],
    seen: &BTreeMap<String, Seen>,
) -> Vec<Line> {
    let current = tasks.iter().copied().find(|task| is_wanted(task));
    let tells = |task: &&&Task| {
        let is = task.status.state;
        is_up_to_date(service, task)
            && matches!(is, TaskState::Failed | TaskState::Rejected | TaskState::Complete)
    };
    let past = tasks.iter().find(tells).copied();
    match (current, past) {
        (Some(task), _) if !task.status.err.is_empty() => unplaced(state, task),
        (Some(task), Some(past)) if task.status.state < TaskState::Running => {
            let mut lines = ended(past, seen.get(&past.id), 1);
            lines.push(line(2, format!("its successor is {}", phase(service, task))));
            lines
        }
        (None, Some(past)) => {
            let mut lines = ended(past, seen.get(&past.id), 1);
            lines.extend(stays_down(past).map(|words| line(2, words)));
            lines
        }
        (Some(task), _) => going(state, service, task, seen.get(&task.id)),
        (None, None) => vec![line(1, "it has no task yet")],
    }
}

/// A service none of whose places has a task.
pub(super) fn nothing_made(service: &Service, answer: &mut Answer) {
    match service.spec.mode {
        Mode::Global {} | Mode::GlobalJob {} => {
            answer.say(1, "there is no node that it may run on");
            answer.lines.extend(constraints(service.spec.task_template.placement.as_ref()));
        }
        _ if service.update_status.is_none() => answer.say(1, "its tasks are not made yet"),
        _ => {}
    }
}

fn line(depth: usize, text: impl Into<String>) -> Line {
    Line { depth, text: text.into() }
}

/// A task that waits for a node, or for a network; and which nodes there are.
fn unplaced(state: &State, task: &Task) -> Vec<Line> {
    let err = &task.status.err;
    let mut lines = vec![line(1, format!("it is {}: {err}", task.status.state))];
    if err.contains("scheduling constraints") {
        lines.extend(constraints(task.spec.placement.as_ref()));
    }
    if err.contains("max replicas") {
        let most = task.spec.placement.as_ref().map_or(0, |placement| placement.max_replicas);
        lines.push(line(2, format!("a node takes at most {most} of its tasks")));
    }
    if err.contains("not available") {
        lines.extend(state.nodes.values().filter_map(|node| {
            let name = name_of(node);
            match (node.status.state, node.spec.availability) {
                (NodeState::Ready, Availability::Active) => None,
                (NodeState::Ready, availability) => {
                    Some(line(2, format!("node {name} has availability {availability}")))
                }
                _ => Some(line(2, format!("node {name} is down"))),
            }
        }));
    }
    if err.contains("port already in use") {
        for port in task.own.ports.iter().filter(|port| port.published_port != 0) {
            let (number, protocol) = (port.published_port, &port.protocol);
            lines.push(line(2, format!("it publishes {number}/{protocol} on its node")));
        }
    }
    lines
}

fn constraints(placement: Option<&Placement>) -> Option<Line> {
    let constraints = &placement?.constraints;
    (!constraints.is_empty()).then(|| line(2, format!("it asks for {}", constraints.join(", "))))
}

/// What a task that ended says: its error, its last probe, its last lines.
pub(super) fn ended(task: &Task, seen: Option<&Seen>, depth: usize) -> Vec<Line> {
    let status = &task.status;
    let code = status.container_status.as_ref().map_or(0, |container| container.exit_code);
    let is_unhealthy = status.err.ends_with("unhealthy container");
    let words = match status.state {
        _ if is_unhealthy => "it was stopped, as its health check failed".to_owned(),
        TaskState::Complete => "it ended with exit code 0".to_owned(),
        TaskState::Rejected => format!("it was rejected: {}", status.err),
        _ if code != 0 && status.err.starts_with("task: non-zero exit") => {
            let oom = seen.is_some_and(|seen| seen.state.oom_killed);
            format!("it failed with exit code {code}{}", meaning(code, oom))
        }
        _ => format!("it failed: {}", status.err),
    };
    let mut lines = vec![line(depth, words)];
    if let Some(pulled) = status.message.strip_prefix("preparing: ") {
        lines.push(line(depth + 1, pulled));
    }
    let Some(seen) = seen else { return lines };
    let error = seen.state.error.trim();
    if !error.is_empty() && !status.err.contains(error) {
        lines.push(line(depth + 1, error));
    }
    if is_unhealthy {
        lines.extend(last_probe(&seen.state).map(|probe| line(depth + 1, probe)));
    }
    last_lines(seen, depth, &mut lines);
    lines
}

fn last_lines(seen: &Seen, depth: usize, lines: &mut Vec<Line>) {
    if !seen.last_lines.is_empty() {
        lines.push(line(depth + 1, "its last lines:"));
        lines.extend(seen.last_lines.iter().map(|text| line(depth + 2, text)));
    }
}

fn meaning(code: i32, oom_killed: bool) -> &'static str {
    match code {
        _ if oom_killed => ", it had used up its memory",
        126 => ", its command cannot be executed",
        127 => ", its command was not found",
        137 => ", SIGKILL ended it",
        139 => ", it crashed with SIGSEGV",
        143 => ", SIGTERM ended it",
        _ => "",
    }
}

fn last_probe(state: &ContainerState) -> Option<String> {
    let probe = state.health.as_ref()?.log.last()?;
    let output = match probe.output.trim() {
        "" => "it said nothing",
        output => output,
    };
    Some(format!("the last probe ended with exit code {}: {output}", probe.exit_code))
}

/// Why there is no other task after this one.
fn stays_down(past: &Task) -> Option<String> {
    let policy = past.spec.restart_policy.as_ref()?;
    match (policy.condition.unwrap_or_default(), policy.max_attempts) {
        (Condition::None, _) => Some("its restart condition is none".to_owned()),
        (Condition::OnFailure, _) if past.status.state == TaskState::Complete => {
            Some("its restart condition is on-failure".to_owned())
        }
        (_, Some(most)) if most > 0 => {
            Some(format!("it is not tried again: that was its restart {most} of {most}"))
        }
        _ => None,
    }
}

/// A task that is on its way, or cannot be seen any more.
fn going(state: &State, service: &Service, task: &Task, seen: Option<&Seen>) -> Vec<Line> {
    if let Some(node) = lost_node(state, task) {
        return vec![line(1, format!("its node {} is down", name_of(node)))];
    }
    if !is_up_to_date(service, task) {
        return vec![line(1, "it still runs what was asked for before")];
    }
    let mut lines = vec![line(1, format!("it is {}", phase(service, task)))];
    if let Some(seen) = seen.filter(|_| task.status.state == TaskState::Starting) {
        lines.extend(last_probe(&seen.state).map(|probe| line(2, probe)));
        last_lines(seen, 1, &mut lines);
    }
    lines
}

fn phase(service: &Service, task: &Task) -> String {
    let is = task.status.state;
    match is {
        TaskState::Preparing => {
            format!("preparing: its image {} is made ready", task.spec.container_spec.image)
        }
        TaskState::Starting if service.spec.task_template.container_spec.healthcheck.is_some() => {
            "starting: no health check has succeeded yet".to_owned()
        }
        _ if task.desired_state < TaskState::Running && task.own.not_before.is_some() => {
            format!("{is}, and waits for its restart delay")
        }
        _ => is.to_string(),
    }
}
