//! Services that run on: so many tasks, or one on each node.

use std::collections::BTreeMap;

use coracle_swarm::model::{Mode, Task, TaskState};

use super::Line;
use super::bars::{self, BARS_MAX, FULL, Look, Shown};

/// Whether as many tasks run as were asked for.
pub(super) fn replicated(shown: &mut Shown, look: &Look<'_>, lines: &mut Vec<Line>) -> bool {
    let Mode::Replicated(mode) = &look.service.spec.mode else { return false };
    let replicas = mode.replicas.unwrap_or(1);
    if !shown.begun {
        lines.push(bars::overall(look, 0, replicas));
        if replicas <= BARS_MAX {
            lines.extend((1..=replicas).map(|slot| Line::new(format!("{slot}/{replicas}"), " ")));
        }
        shown.begun = true;
    }
    let is_there =
        |task: &&&Task| task.node_id.is_empty() || look.active.contains(task.node_id.as_str());
    let mut by_slot: BTreeMap<u64, &Task> = BTreeMap::new();
    for task in look.tasks.iter().filter(is_there) {
        keep_lowest(&mut by_slot, task.slot, task);
    }
    shown.done &= by_slot.values().all(|task| task.status.state == TaskState::Running);
    let mut running = 0;
    for (slot, task) in by_slot {
        let count = shown.lines.len();
        let place = *shown.lines.entry(slot).or_insert(count + 1);
        running += usize::from(runs(task));
        let has_line = replicas <= BARS_MAX && place as u64 <= replicas;
        if !shown.done && has_line && is_told(task) {
            lines.push(bars::task(format!("{place}/{replicas}"), task, FULL));
        }
    }
    finish(shown, look, running, replicas, lines)
}

/// Whether a task runs on each node that has one.
pub(super) fn global(shown: &mut Shown, look: &Look<'_>, lines: &mut Vec<Line>) -> bool {
    let mut by_node: BTreeMap<&str, &Task> = BTreeMap::new();
    for task in &look.tasks {
        keep_lowest(&mut by_node, task.node_id.as_str(), task);
    }
    let count = by_node.len() as u64;
    if !shown.begun {
        if count == 0 {
            lines.push(Line::new("overall progress", "waiting for new tasks"));
            return false;
        }
        lines.push(bars::overall(look, 0, count));
        shown.begun = true;
    }
    shown.done &= by_node.values().all(|task| task.status.state == TaskState::Running);
    let mut running = 0;
    for (node, task) in by_node.into_iter().filter(|(node, _)| look.active.contains(node)) {
        running += usize::from(runs(task));
        if !shown.done && count <= BARS_MAX && is_told(task) {
            let id = node.chars().take(12).collect();
            lines.push(bars::task(id, task, FULL));
        }
    }
    finish(shown, look, running, count, lines)
}

fn finish(
    shown: &mut Shown,
    look: &Look<'_>,
    running: usize,
    wanted: u64,
    lines: &mut Vec<Line>,
) -> bool {
    let all = running as u64 == wanted;
    if !shown.done {
        lines.push(bars::overall(look, running, wanted));
        shown.done = all;
    }
    all
}

/// Of several tasks in one place that with the lowest wanted state counts, then that with the lowest state.
fn keep_lowest<'a, K: Ord>(by: &mut BTreeMap<K, &'a Task>, key: K, task: &'a Task) {
    let Some(order) = bars::order(task) else { return };
    match by.get(&key).and_then(|known| bars::order(known)) {
        Some(known) if known.0 < order.0 || (known.0 == order.0 && known.1 <= order.1) => {}
        _ => drop(by.insert(key, task)),
    }
}

fn runs(task: &Task) -> bool {
    task.desired_state <= TaskState::Running && task.status.state == TaskState::Running
}

/// What has ended without an error has no line.
fn is_told(task: &Task) -> bool {
    let goes_on =
        task.desired_state <= TaskState::Running && task.status.state <= TaskState::Running;
    goes_on || !task.status.err.is_empty()
}
