//! The places of a service, and the tasks in them.

use std::collections::BTreeMap;

use crate::model::{Service, SlotKey, Task, TaskSpec, TaskState, UpdateState};

use super::constraint;
use super::draft::{Draft, TaskNo};
use super::restart;

/// The tasks of each slot, the oldest first.
pub(super) type Slots = BTreeMap<SlotKey, Vec<TaskNo>>;

/// Where a task of that service stands.
pub(super) fn key(service: &Service, task: &Task) -> SlotKey {
    if service.spec.mode.is_global() {
        SlotKey { slot: 0, node: task.node_id.clone() }
    } else {
        SlotKey { slot: task.slot, node: String::new() }
    }
}

/// Whether a task is to run, now or once a delay has passed, or was to run and has ended.
pub(super) fn is_wanted(task: &Task) -> bool {
    task.desired_state <= TaskState::Complete
}

/// The tasks in one slot, the oldest first.
pub(super) fn one(draft: &Draft<'_>, service: &Service, wanted: &SlotKey) -> Vec<TaskNo> {
    let mut tasks = draft.of_service(&service.id);
    tasks.retain(|number| key(service, draft.task(*number)) == *wanted);
    tasks.sort_by(|a, b| age(draft.task(*a)).cmp(&age(draft.task(*b))));
    tasks
}

/// All tasks of a service by slot.
pub(super) fn all(draft: &Draft<'_>, service: &Service) -> Slots {
    let mut slots = Slots::new();
    for number in draft.of_service(&service.id) {
        slots.entry(key(service, draft.task(number))).or_default().push(number);
    }
    for tasks in slots.values_mut() {
        tasks.sort_by(|a, b| age(draft.task(*a)).cmp(&age(draft.task(*b))));
    }
    slots
}

/// Orders tasks of a slot by when they were made.
pub(super) fn age(task: &Task) -> (coracle_words::Timestamp, u64, &str) {
    (task.meta.created_at, task.own.restarts, &task.id)
}

/// Splits slots in those that are filled, with the tasks that fill them, and the dead. A slot is also filled by a task
/// that ended and is not to be restarted: an update replaces it.
pub(super) fn filled(draft: &Draft<'_>, service: &Service, slots: Slots) -> (Slots, Slots) {
    let (mut filled, mut dead) = (Slots::new(), Slots::new());
    let rolls_back = service
        .update_status
        .as_ref()
        .is_some_and(|status| status.state == UpdateState::RollbackStarted);
    for (key, tasks) in slots {
        let wanted = |number: &TaskNo| draft.task(*number).desired_state <= TaskState::Running;
        let wanted: Vec<TaskNo> = tasks.iter().copied().filter(wanted).collect();
        let last = tasks.last().copied().filter(|last| {
            let task = draft.task(*last);
            task.desired_state != TaskState::Remove && !restart::is_due(task)
        });
        match last {
            _ if !wanted.is_empty() => drop(filled.insert(key, wanted)),
            Some(last) if !rolls_back => drop(filled.insert(key, vec![last])),
            _ => drop(dead.insert(key, tasks)),
        }
    }
    (filled, dead)
}

/// Whether a task is made of another spec than the service has now.
pub(super) fn is_dirty(draft: &Draft<'_>, service: &Service, task: &Task) -> bool {
    if task.own.spec_version == service.own.spec_version {
        return false;
    }
    let template = &service.spec.task_template;
    if task.spec != *template {
        return !(differs_in_constraints(template, &task.spec) && fits(draft, service, task));
    }
    let asked = service.spec.endpoint_spec.clone().unwrap_or_default();
    asked != task.own.endpoint_spec.clone().unwrap_or_default()
}

/// Whether nothing but the constraints, preferences and limits of placement differs.
fn differs_in_constraints(template: &TaskSpec, spec: &TaskSpec) -> bool {
    let mut same = template.clone();
    same.placement.clone_from(&spec.placement);
    same == *spec
}

/// Whether the node that a task has fits the service's constraints.
fn fits(draft: &Draft<'_>, service: &Service, task: &Task) -> bool {
    let node = draft.node(&task.node_id);
    node.is_some_and(|node| constraint::fits(&service.spec.task_template, node))
}

/// The last task of a slot that a new one waits for: it is wanted no more and may still run.
pub(super) fn last_alive(draft: &Draft<'_>, tasks: &[TaskNo]) -> Option<TaskNo> {
    let alive = |number: &TaskNo| {
        let task = draft.task(*number);
        !is_wanted(task) && !task.status.state.is_over() && !draft.is_lost(&task.node_id)
    };
    tasks.iter().rev().copied().find(alive)
}
