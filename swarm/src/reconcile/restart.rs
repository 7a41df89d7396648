//! What follows the end of a task: whether it is replaced, and when the new one may start.
//!
//! A new task is made at once, wanted READY, so that it is prepared while its delay passes. It starts when the delay
//! ([`crate::model::task::TaskOwn::not_before`]) has passed and the older tasks of its slot have ended, but waits for
//! those at most [`WAIT`].

use coracle_words::Timestamp;

use crate::model::{Availability, Condition, Service, SlotKey, Task, TaskState};

use super::clock::{SECOND, after};
use super::draft::{Draft, TaskNo};
use super::slots;

/// How long a new task waits for older ones to stop.
const WAIT: i64 = 60 * SECOND;

/// `--restart-delay` when it is not given.
const DELAY: i64 = 5 * SECOND;

/// Wants the tasks to run whose delay has passed and whose predecessors have ended.
pub(super) fn start_delayed(draft: &mut Draft<'_>, id: &str) {
    let Some(service) = draft.service(id).cloned() else { return };
    for number in draft.of_service(id) {
        let task = draft.task(number);
        if task.desired_state != TaskState::Ready {
            continue;
        }
        if let Some(moment) = task.own.not_before.filter(|moment| *moment > draft.now) {
            draft.wake_at(moment);
            continue;
        }
        if let Some(moment) = task.own.wait_until.filter(|moment| *moment > draft.now) {
            let mates = slots::one(draft, &service, &slots::key(&service, task));
            if slots::last_alive(draft, &mates).is_some() {
                draft.wake_at(moment);
                continue;
            }
        }
        let task = draft.change(number);
        task.desired_state = running(&service);
        task.own.not_before = None;
        task.own.wait_until = None;
    }
}

/// What a task of that service is wanted to be when it may start.
fn running(service: &Service) -> TaskState {
    if service.spec.mode.is_job() { TaskState::Complete } else { TaskState::Running }
}

/// Makes a task wait for older ones of its slot that still run, and for a delay in nanoseconds.
pub(super) fn hold(draft: &mut Draft<'_>, service: &Service, number: TaskNo, delay: i64) {
    let now = draft.now;
    let mates = slots::one(draft, service, &slots::key(service, draft.task(number)));
    let waits_for = slots::last_alive(draft, &mates).map(|mate| draft.task(mate).id.clone());
    let task = draft.change(number);
    let wait_until = waits_for.is_some().then(|| after(now, WAIT));
    let not_before = (delay > 0).then(|| after(now, delay));
    let holds = wait_until.is_some() || not_before.is_some();
    task.desired_state = if holds { TaskState::Ready } else { running(service) };
    task.own.replaces = waits_for.unwrap_or_default();
    task.own.wait_until = wait_until;
    task.own.not_before = not_before;
    for moment in [wait_until, not_before].into_iter().flatten() {
        draft.wake_at(moment);
    }
}

/// A task of a node that may not have it: it is lost, or is drained.
pub(super) fn is_homeless(draft: &Draft<'_>, task: &Task) -> bool {
    !task.node_id.is_empty()
        && (draft.is_lost(&task.node_id)
            || draft
                .node(&task.node_id)
                .is_some_and(|node| node.spec.availability == Availability::Drain))
}

/// Whether the restart policy wants another task for one that ended.
pub(super) fn is_due(task: &Task) -> bool {
    let policy = task.spec.restart_policy.clone().unwrap_or_default();
    match policy.condition.unwrap_or_default() {
        Condition::None => return false,
        Condition::OnFailure if task.status.state == TaskState::Complete => return false,
        Condition::OnFailure | Condition::Any => {}
    }
    let attempts = policy.max_attempts.unwrap_or_default();
    let window = policy.window.unwrap_or_default();
    if attempts == 0 {
        return true;
    }
    if window == 0 {
        return task.own.restarts < attempts;
    }
    let end = task.status.timestamp;
    let from = after(end, -window);
    let counts = |moment: &&Timestamp| **moment > from && **moment < end;
    let count = task.own.restarted.iter().filter(counts).count();
    u64::try_from(count).unwrap_or(u64::MAX) < attempts
}

/// Wants a task no more, and makes another if the policy has it so.
pub(super) fn restart(draft: &mut Draft<'_>, service: &Service, number: TaskNo, key: &SlotKey) {
    let old = draft.task(number).clone();
    draft.stop(number, TaskState::Shutdown);
    if !is_due(&old) {
        return;
    }
    let policy = old.spec.restart_policy.clone().unwrap_or_default();
    let drained =
        draft.node(&old.node_id).is_some_and(|node| node.spec.availability == Availability::Drain);
    let delay = if drained { 0 } else { policy.delay.unwrap_or(DELAY) };
    let now = draft.now;
    let new = draft.add(service, key);
    if let Some(attempts) = policy.max_attempts.filter(|attempts| *attempts > 0) {
        let own = &mut draft.change(new).own;
        if own.spec_version == old.own.spec_version {
            own.restarts = old.own.restarts;
            own.restarted = old.own.restarted;
        }
        own.restarts += 1;
        if policy.window.is_some_and(|window| window > 0) {
            own.restarted.push(now);
            let spare = own.restarted.len().saturating_sub(usize::try_from(attempts).unwrap_or(0));
            own.restarted.drain(..spare);
        } else {
            own.restarted.clear();
        }
    }
    hold(draft, service, new, delay);
}
