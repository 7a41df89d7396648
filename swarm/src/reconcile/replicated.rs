//! Replicated services: as many tasks as the user asked for, in slots numbered from 1.

use std::collections::BTreeMap;

use crate::model::{Service, SlotKey, TaskState};

use super::draft::{Draft, TaskNo};
use super::slots::Slots;
use super::{restart, slots, update};

/// Restarts what ended, adds and takes away slots, and rolls updates out.
pub(super) fn reconcile(draft: &mut Draft<'_>, service: &Service, replicas: u64) {
    for number in draft.of_service(&service.id) {
        let task = draft.task(number);
        let ended = task.status.state.is_over() || restart::is_homeless(draft, task);
        if task.desired_state == TaskState::Running && ended {
            let key = slots::key(service, task);
            restart::restart(draft, service, number, &key);
        }
    }
    let wanted = usize::try_from(replicas).unwrap_or(usize::MAX);
    let (mut filled, dead) = slots::filled(draft, service, slots::all(draft, service));
    for key in surplus(draft, &filled, wanted) {
        for number in filled.remove(&key).unwrap_or_default() {
            draft.stop(number, TaskState::Remove);
        }
    }
    let missing = missing(&filled, wanted);
    for (key, tasks) in &dead {
        let lives_on = missing.contains(key);
        for number in tasks {
            if !lives_on && draft.task(*number).desired_state != TaskState::Remove {
                draft.stop(*number, TaskState::Remove);
            }
        }
    }
    update::roll(draft, &service.id, &filled);
    let Some(service) = draft.service(&service.id).cloned() else { return };
    for key in missing {
        let number = draft.add(&service, &key);
        if dead.contains_key(&key) {
            restart::hold(draft, &service, number, 0);
        }
    }
}

/// The free slots with the smallest numbers.
fn missing(filled: &Slots, wanted: usize) -> Vec<SlotKey> {
    let count = wanted.saturating_sub(filled.len());
    let keys = (1..).map(|slot| SlotKey { slot, node: String::new() });
    keys.filter(|key| !filled.contains_key(key)).take(count).collect()
}

/// The slots to take away: first those with no node, then from the nodes that have the most of this service; of
/// these those that do not run, then those with the greatest numbers.
fn surplus(draft: &Draft<'_>, filled: &Slots, wanted: usize) -> Vec<SlotKey> {
    if filled.len() <= wanted {
        return Vec::new();
    }
    let runs = |tasks: &Vec<TaskNo>| {
        tasks.iter().any(|number| draft.task(*number).status.state == TaskState::Running)
    };
    let mut order: Vec<(&SlotKey, &Vec<TaskNo>)> = filled.iter().collect();
    order.sort_by_key(|(_, tasks)| !runs(tasks));
    let mut on_node: BTreeMap<&str, usize> = BTreeMap::new();
    let mut ranked = Vec::with_capacity(order.len());
    for (key, tasks) in order {
        let node = match tasks.as_slice() {
            [number] => draft.task(*number).node_id.as_str(),
            _ => "",
        };
        let rank = if node.is_empty() {
            usize::MAX
        } else {
            let count = on_node.entry(node).or_default();
            *count += 1;
            *count
        };
        ranked.push((rank, key));
    }
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().skip(wanted).map(|(_, key)| key.clone()).collect()
}
