//! Jobs: tasks that are to end well, each once.
//!
//! A change of a job's spec begins another iteration: the tasks of the one before go. Slots of a replicated job
//! are numbered from 0, as Docker does. A slot whose attempts are used up stays as it is.

use std::collections::BTreeSet;

use crate::model::service::ReplicatedJob;
use crate::model::{Availability, NodeState, Service, SlotKey, Task, TaskState};

use super::draft::Draft;
use super::{constraint, restart, slots};

/// As many completions as asked for, so many at once.
pub(super) fn replicated(draft: &mut Draft<'_>, service: &Service, job: ReplicatedJob) {
    drop_former(draft, service);
    restart_failed(draft, service, |draft, task| {
        task.status.state.is_over() || restart::is_homeless(draft, task)
    });
    let concurrent = job.max_concurrent.unwrap_or(1);
    let total = job.total_completions.unwrap_or(concurrent);
    let mut used = BTreeSet::new();
    let mut active = 0_u64;
    for number in draft.of_service(&service.id) {
        let task = draft.task(number);
        if is_current(service, task) {
            used.insert(task.slot);
            if slots::is_wanted(task) && task.status.state != TaskState::Complete {
                active += 1;
            }
        }
    }
    let open = total.saturating_sub(u64::try_from(used.len()).unwrap_or(u64::MAX));
    let room = if concurrent == 0 { open } else { concurrent.saturating_sub(active) };
    let free = (0..total).filter(|slot| !used.contains(slot));
    let count = usize::try_from(open.min(room)).unwrap_or(usize::MAX);
    let new: Vec<u64> = free.take(count).collect();
    for slot in new {
        draft.add(service, &SlotKey { slot, node: String::new() });
    }
}

/// One completion on each node that may have it. A drain leaves it alone.
pub(super) fn global(draft: &mut Draft<'_>, service: &Service) {
    drop_former(draft, service);
    let mut free: Vec<(u8, String)> = draft
        .nodes()
        .filter(|node| {
            node.status.state == NodeState::Ready
                && node.spec.availability == Availability::Active
                && constraint::fits(&service.spec.task_template, node)
        })
        .map(|node| (node.own.number, node.id.clone()))
        .collect();
    free.sort();
    restart_failed(draft, service, |_, task| {
        task.status.state.is_over() && free.iter().any(|(_, node)| *node == task.node_id)
    });
    let here: BTreeSet<String> = draft
        .of_service(&service.id)
        .into_iter()
        .map(|number| draft.task(number))
        .filter(|task| is_current(service, task))
        .map(|task| task.node_id.clone())
        .collect();
    free.retain(|(_, node)| !here.contains(node));
    for (_, node) in free {
        draft.add(service, &SlotKey { slot: 0, node });
    }
}

fn is_current(service: &Service, task: &Task) -> bool {
    task.job_iteration == service.job_status.map(|status| status.job_iteration)
}

/// The tasks of earlier iterations go.
fn drop_former(draft: &mut Draft<'_>, service: &Service) {
    for number in draft.of_service(&service.id) {
        let task = draft.task(number);
        if !is_current(service, task) && task.desired_state != TaskState::Remove {
            draft.stop(number, TaskState::Remove);
        }
    }
}

fn restart_failed(
    draft: &mut Draft<'_>,
    service: &Service,
    has_ended: impl Fn(&Draft<'_>, &Task) -> bool,
) {
    for number in draft.of_service(&service.id) {
        let task = draft.task(number);
        if task.desired_state == TaskState::Complete
            && task.status.state != TaskState::Complete
            && is_current(service, task)
            && has_ended(draft, task)
        {
            let key = slots::key(service, task);
            restart::restart(draft, service, number, &key);
        }
    }
}
