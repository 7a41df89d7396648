//! One slot of an update: its new task, and when the next slot's turn comes.

use crate::model::service::Order;
use crate::model::{Lane, Service, SlotKey, TaskState};

use super::clock::after;
use super::draft::{Draft, TaskNo};
use super::update::Rules;
use super::{restart, slots};

/// Changes a slot: with a task of the new spec that is there already, else with a new one.
pub(super) fn fill(draft: &mut Draft<'_>, service: &Service, key: SlotKey, rules: &Rules) -> Lane {
    let tasks = slots::one(draft, service, &key);
    let is_clean = |number: &&TaskNo| !slots::is_dirty(draft, service, draft.task(**number));
    let clean: Vec<TaskNo> = tasks.iter().filter(is_clean).copied().collect();
    let wanted = |state: TaskState| {
        clean.iter().rev().copied().find(|number| draft.task(*number).desired_state == state)
    };
    let mut lane = Lane { slot: key, ..Lane::default() };
    if let Some(found) = wanted(TaskState::Running).or_else(|| wanted(TaskState::Ready)) {
        stop_others(draft, &tasks, found);
        if draft.task(found).desired_state == TaskState::Ready {
            restart::hold(draft, service, found, 0);
        }
        lane.task.clone_from(&draft.task(found).id);
        lane.found = true;
        return lane;
    }
    if tasks.is_empty() {
        lane.free_at = Some(draft.now);
        return lane;
    }
    let new = draft.add(service, &lane.slot);
    if rules.order == Order::StopFirst {
        stop_others(draft, &tasks, new);
        restart::hold(draft, service, new, 0);
    }
    lane.task.clone_from(&draft.task(new).id);
    lane
}

/// Sets when a lane is free, once its task has come so far. With start-first the old tasks go then.
pub(super) fn look(draft: &mut Draft<'_>, service: &Service, lane: &mut Lane, rules: &Rules) {
    if lane.free_at.is_some() {
        return;
    }
    let now = draft.now;
    let Some(number) = draft.find(&lane.task) else {
        lane.free_at = Some(after(now, rules.delay));
        return;
    };
    let task = draft.task(number);
    let state = task.status.state;
    if lane.found {
        if task.desired_state >= TaskState::Running {
            lane.free_at = Some(after(now, rules.delay));
        }
        return;
    }
    if state < TaskState::Running && !slots::is_wanted(task) {
        // It was lost before it ran: the lane waits for the one in its place.
        let tasks = slots::one(draft, service, &lane.slot);
        match tasks.into_iter().rev().find(|other| slots::is_wanted(draft.task(*other))) {
            Some(other) => lane.task.clone_from(&draft.task(other).id),
            None => lane.free_at = Some(after(now, rules.delay)),
        }
        return;
    }
    if state < TaskState::Running || task.desired_state < TaskState::Running {
        return;
    }
    lane.free_at = Some(after(task.own.running_since.unwrap_or(now).min(now), rules.delay));
    if rules.order == Order::StartFirst && state == TaskState::Running {
        let tasks = slots::one(draft, service, &lane.slot);
        stop_others(draft, &tasks, number);
    }
}

/// Wants all tasks of a slot no more, but that one.
fn stop_others(draft: &mut Draft<'_>, tasks: &[TaskNo], except: TaskNo) {
    for number in tasks {
        if *number != except && draft.task(*number).desired_state <= TaskState::Running {
            draft.stop(*number, TaskState::Shutdown);
        }
    }
}
