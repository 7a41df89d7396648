//! The clock was set: what is remembered of moments goes with it.
//!
//! Delays, monitor times and heartbeats are remembered as moments of the machine's clock, because an agent that comes
//! after one that was killed has no other. When the clock is set, by a person or by the network, they would be over at
//! once, or not for an hour. So the agent moves them by as much: what was three seconds away is three seconds away, and a
//! task that ran for a minute has run for a minute.

use chrono::TimeDelta;
use coracle_words::Timestamp;

use crate::model::{Lane, Node, Service, Task};
use crate::state::{Change, State};

/// The state as it would be, had the clock always been that much ahead (or, when it is negative, behind).
#[must_use]
pub fn moved(state: &State, jump: TimeDelta) -> Vec<Change> {
    let tasks = state.tasks.values().cloned().map(|task| Change::from(of_task(task, jump)));
    let services =
        state.services.values().filter(|service| service.own.progress.is_some()).cloned();
    let services = services.map(|service| Change::from(of_service(service, jump)));
    let nodes = state.nodes.values().filter(|node| node.own.off_since.is_some()).cloned();
    let nodes = nodes.map(|node| Change::from(of_node(node, jump)));
    tasks.chain(services).chain(nodes).collect()
}

fn of_task(mut task: Task, jump: TimeDelta) -> Task {
    shift(&mut task.meta.created_at, jump);
    shift(&mut task.status.timestamp, jump);
    let own = &mut task.own;
    let moments = [&mut own.not_before, &mut own.wait_until, &mut own.running_since];
    moments.into_iter().flatten().for_each(|moment| shift(moment, jump));
    own.restarted.iter_mut().for_each(|moment| shift(moment, jump));
    task
}

fn of_service(mut service: Service, jump: TimeDelta) -> Service {
    if let Some(progress) = &mut service.own.progress {
        let free = |lane: &mut Lane| lane.free_at.iter_mut().for_each(|moment| shift(moment, jump));
        progress.lanes.iter_mut().for_each(free);
        progress.monitor_until.iter_mut().for_each(|moment| shift(moment, jump));
    }
    service
}

fn of_node(mut node: Node, jump: TimeDelta) -> Node {
    let own = &mut node.own;
    let moments = own.off_since.iter_mut().chain(&mut own.unknown_since);
    moments.for_each(|moment| shift(moment, jump));
    node
}

fn shift(moment: &mut Timestamp, jump: TimeDelta) {
    if let Some(shifted) = moment.datetime().checked_add_signed(jump) {
        *moment = shifted.into();
    }
}
