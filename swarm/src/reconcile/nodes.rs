//! Nodes that are lost and found, and tasks that may not stay where they are.
//!
//! A node that is off is Down once its heartbeats have been missed. (Docker allows three periods since the last one,
//! which was half a period before the loss on average.) Its tasks are orphaned when it is removed, or a day later.
//! Without more than half of the managers nobody leads, and nothing is done, as in Docker: what runs goes on.

use std::collections::BTreeMap;

use crate::model::node::{ManagerStatus, Reachability};
use crate::model::task::Reservations;
use crate::model::{Availability, Node, NodeState, Role, TaskState, TaskStatus};

use super::clock::{SECOND, after};
use super::constraint;
use super::draft::{Draft, TaskNo};

const MANAGER_PORT: u16 = 2377;

/// Until a node is Down whose state was not known to a new leader: twice three heartbeats.
const UNKNOWN: i64 = 30 * SECOND;

/// Until the tasks of a node that is off are given up.
const LOST: i64 = 24 * 3600 * SECOND;

/// Sets the states of nodes, and puts tasks away that cannot stay on theirs. False: there is no leader, and nothing
/// is done but that.
pub(super) fn look_after(draft: &mut Draft<'_>) -> bool {
    let is_led = elect(draft);
    if is_led {
        let nodes: Vec<Node> = draft.nodes().cloned().collect();
        for mut node in nodes {
            if set_state(draft, &mut node) {
                draft.put_node(node);
            }
        }
        enforce(draft);
    }
    is_led
}

/// Says which managers are reachable and which one leads; whether one does. More than half must be reachable.
fn elect(draft: &mut Draft<'_>) -> bool {
    let is_on = |node: &&Node| node.own.off_since.is_none() && !node.own.left;
    let is_manager = |node: &&Node| node.spec.role == Role::Manager;
    let leads = |node: &&Node| node.manager_status.as_ref().is_some_and(|status| status.leader);
    let managers = draft.nodes().filter(is_manager).count();
    let reachable: Vec<&Node> = draft.nodes().filter(is_manager).filter(is_on).collect();
    let is_led = reachable.len() * 2 > managers || managers == 0;
    let first = || reachable.iter().min_by_key(|node| node.own.number);
    let leader = reachable.iter().find(|node| leads(node)).or_else(first);
    let leader = leader.filter(|_| is_led).map(|node| node.id.clone());
    let nodes: Vec<Node> = draft.nodes().cloned().collect();
    for mut node in nodes {
        let status = is_manager(&&node).then(|| ManagerStatus {
            leader: leader.as_ref() == Some(&node.id),
            reachability: if is_on(&&node) {
                Reachability::Reachable
            } else {
                Reachability::Unreachable
            },
            addr: match &node.manager_status {
                Some(status) => status.addr.clone(),
                None => format!("{}:{MANAGER_PORT}", node.status.addr),
            },
        });
        if node.manager_status != status {
            node.manager_status = status;
            draft.put_node(node);
        }
    }
    is_led
}

/// Whether the node's state is another now.
fn set_state(draft: &mut Draft<'_>, node: &mut Node) -> bool {
    let period = draft.state.cluster.spec.dispatcher.heartbeat_period;
    let period = if period > 0 { period } else { 5 * SECOND };
    let (state, message) = match node.own.off_since {
        None if !node.own.left => (NodeState::Ready, ""),
        Some(_)
            if node.own.unknown_since.is_some_and(|since| after(since, UNKNOWN) > draft.now) =>
        {
            draft.wake_at(after(node.own.unknown_since.unwrap_or(draft.now), UNKNOWN));
            return false;
        }
        Some(since) if after(since, period / 2 * 5) > draft.now => {
            draft.wake_at(after(since, period / 2 * 5));
            return false;
        }
        _ => (NodeState::Down, "heartbeat failure"),
    };
    let changes = node.status.state != state;
    if changes {
        node.own.unknown_since = None;
        node.status.state = state;
        message.clone_into(&mut node.status.message);
    }
    changes
}

/// Orphans the tasks of nodes that are gone, and rejects those whose node does not fit them any more.
fn enforce(draft: &mut Draft<'_>) {
    let mut gone = Vec::new();
    let mut misfits = Vec::new();
    let mut room: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    for (number, task) in draft.tasks() {
        let state = task.status.state;
        if task.node_id.is_empty() || state < TaskState::Assigned || state.is_over() {
            continue;
        }
        let Some(node) = draft.node(&task.node_id) else {
            gone.push(number);
            continue;
        };
        if node.own.off_since.is_some_and(|since| after(since, LOST) <= draft.now) {
            gone.push(number);
        } else if task.desired_state >= TaskState::Assigned
            && task.desired_state <= TaskState::Complete
            && node.spec.availability == Availability::Active
            && (!constraint::fits(&task.spec, node) || !has_room(&mut room, node, draft, number))
        {
            misfits.push(number);
        }
    }
    let lost: Vec<_> = draft.nodes().filter_map(|node| node.own.off_since).collect();
    for moment in lost.into_iter().map(|since| after(since, LOST)) {
        if moment > draft.now {
            draft.wake_at(moment);
        }
    }
    for number in gone {
        let message = "Task belonged to a node that has been deleted";
        put(draft, number, TaskState::Orphaned, message, "");
    }
    for number in misfits {
        let error = "assigned node no longer meets constraints";
        put(draft, number, TaskState::Rejected, "task rejected by constraint enforcer", error);
    }
}

/// Takes what a task reserves from what its node has.
fn has_room(
    room: &mut BTreeMap<String, (i64, i64)>,
    node: &Node,
    draft: &Draft<'_>,
    number: TaskNo,
) -> bool {
    let resources = draft.task(number).spec.resources.as_ref();
    let Some(Reservations { nano_cpus, memory_bytes, .. }) =
        resources.and_then(|resources| resources.reservations.as_ref())
    else {
        return true;
    };
    let all = &node.description.resources;
    let (cpus, memory) = room.entry(node.id.clone()).or_insert((all.nano_cpus, all.memory_bytes));
    if nano_cpus > cpus || memory_bytes > memory {
        return false;
    }
    *cpus -= nano_cpus;
    *memory -= memory_bytes;
    true
}

fn put(draft: &mut Draft<'_>, number: TaskNo, state: TaskState, message: &str, error: &str) {
    let now = draft.now;
    let task = draft.change(number);
    task.status = TaskStatus {
        timestamp: now,
        state,
        message: message.to_owned(),
        err: error.to_owned(),
        container_status: task.status.container_status.take(),
        ..TaskStatus::default()
    };
}
