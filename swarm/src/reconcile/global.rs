//! Global services: one task on each node that may have it.
//!
//! A drained or lost node has none, and none is made elsewhere for it. On a paused node nothing new is made, and
//! an update passes it over until it is active again.

use crate::model::{Availability, Service, SlotKey, TaskState};

use super::draft::{Draft, TaskNo};
use super::slots::Slots;
use super::{constraint, restart, slots, update};

/// A node in the eyes of a global service.
struct Place {
    key: SlotKey,
    fits: bool,
    paused: bool,
}

/// Restarts what ended, makes tasks on new nodes, stops those of nodes that fit no more, and rolls updates out.
pub(super) fn reconcile(draft: &mut Draft<'_>, service: &Service) {
    let places = places(draft, service);
    for number in draft.of_service(&service.id) {
        let task = draft.task(number);
        if task.desired_state != TaskState::Running || !task.status.state.is_over() {
            continue;
        }
        let key = slots::key(service, task);
        match places.iter().find(|place| place.key == key) {
            None => {}
            Some(place) if place.paused || !place.fits => draft.stop(number, TaskState::Shutdown),
            Some(_) => restart::restart(draft, service, number, &key),
        }
    }
    let (mut filled, _) = slots::filled(draft, service, slots::all(draft, service));
    let mut updates = Slots::new();
    let mut missing = Vec::new();
    for place in places {
        let tasks = filled.remove(&place.key);
        match tasks {
            Some(tasks) if !place.fits => shut_down(draft, &tasks),
            _ if !place.fits || place.paused => {}
            None => missing.push(place.key),
            Some(tasks) => drop(updates.insert(place.key, tasks)),
        }
    }
    for tasks in filled.values() {
        shut_down(draft, tasks);
    }
    update::roll(draft, &service.id, &updates);
    let Some(service) = draft.service(&service.id).cloned() else { return };
    for key in missing {
        let number = draft.add(&service, &key);
        restart::hold(draft, &service, number, 0);
    }
}

/// The nodes that are there and not drained.
fn places(draft: &Draft<'_>, service: &Service) -> Vec<Place> {
    let there = draft
        .nodes()
        .filter(|node| !draft.is_lost(&node.id) && node.spec.availability != Availability::Drain);
    let mut places: Vec<(u8, Place)> = there
        .map(|node| {
            let place = Place {
                key: SlotKey { slot: 0, node: node.id.clone() },
                fits: constraint::fits(&service.spec.task_template, node),
                paused: node.spec.availability == Availability::Pause,
            };
            (node.own.number, place)
        })
        .collect();
    places.sort_by_key(|(number, _)| *number);
    places.into_iter().map(|(_, place)| place).collect()
}

fn shut_down(draft: &mut Draft<'_>, tasks: &[TaskNo]) {
    for number in tasks {
        if draft.task(*number).desired_state <= TaskState::Running {
            draft.stop(*number, TaskState::Shutdown);
        }
    }
}
