//! What is no longer needed: tasks that nobody wants, old tasks of a slot, removed services.

use crate::model::{Service, Task, TaskState};

use super::draft::Draft;
use super::slots;

/// Wants the tasks of a removed service away.
pub(super) fn remove_service(draft: &mut Draft<'_>, id: &str) {
    for number in draft.of_service(id) {
        if draft.task(number).desired_state != TaskState::Remove {
            draft.stop(number, TaskState::Remove);
        }
    }
}

/// Removes tasks, and services that the user removed when they have no task any more.
pub(super) fn clean_up(draft: &mut Draft<'_>) {
    let strays: Vec<usize> = draft
        .tasks()
        .filter(|(_, task)| task.desired_state != TaskState::Remove)
        .filter(|(_, task)| draft.service(&task.service_id).is_none())
        .map(|(number, _)| number)
        .collect();
    for number in strays {
        draft.stop(number, TaskState::Remove);
    }
    let unwanted: Vec<usize> =
        draft.tasks().filter(|(_, task)| is_done(draft, task)).map(|(number, _)| number).collect();
    for number in unwanted {
        draft.remove(number);
    }
    let ids: Vec<&String> = draft.state.services.keys().collect();
    for id in ids {
        let Some(service) = draft.service(id).cloned() else { continue };
        if service.own.removed {
            if draft.of_service(id).is_empty() {
                draft.remove_service(id);
            }
        } else {
            trim(draft, &service);
        }
    }
}

/// Whether nothing of an unwanted task is left.
fn is_done(draft: &Draft<'_>, task: &Task) -> bool {
    task.desired_state == TaskState::Remove
        && (task.status.state.is_over()
            || task.status.state < TaskState::Assigned
            || draft.node(&task.node_id).is_none_or(|node| node.own.left))
}

/// Removes the oldest ended tasks of slots that have more than the limit. The last task of a slot stays.
fn trim(draft: &mut Draft<'_>, service: &Service) {
    let limit = draft.state.cluster.spec.orchestration.task_history_retention_limit;
    let policy = service.spec.task_template.restart_policy.as_ref();
    let limit = match policy.and_then(|policy| policy.max_attempts) {
        Some(attempts) if attempts > 0 => {
            i64::try_from(attempts).unwrap_or(i64::MAX).saturating_add(1)
        }
        _ => limit,
    };
    let Ok(limit) = usize::try_from(limit) else { return };
    let numbers = draft.of_service(&service.id);
    if !numbers.iter().any(|number| draft.task(*number).status.state.is_over()) {
        return;
    }
    for tasks in slots::all(draft, service).into_values() {
        let mut spare = tasks.len().saturating_sub(limit);
        let Some((_, older)) = tasks.split_last() else { continue };
        for number in older {
            let task = draft.task(*number);
            let is_past = task.status.state.is_over() && !is_held(task);
            if spare > 0 && is_past {
                draft.remove(*number);
                spare -= 1;
            }
        }
    }
}

/// Whether something waits for what a task does next: it ended before it was to start.
fn is_held(task: &Task) -> bool {
    task.desired_state <= TaskState::Running
}
