//! Jobs: so many tasks that complete, or one on each node.

use std::collections::BTreeMap;

use coracle_swarm::model::service::ReplicatedJob;
use coracle_swarm::model::{Task, TaskState};

use super::Line;
use super::bars::{self, BARS_MAX, Look, Shown};

/// A task that completed fills its bar.
const FULL: u64 = 10;

/// Whether as many tasks completed as were asked for.
pub(super) fn replicated(
    shown: &mut Shown,
    look: &Look<'_>,
    job: &ReplicatedJob,
    lines: &mut Vec<Line>,
) -> bool {
    let total = job.total_completions.unwrap_or(1);
    let concurrent = job.max_concurrent.unwrap_or(total);
    let overall = |active: u64, completed: u64, lines: &mut Vec<Line>| {
        lines.push(completions(completed, total));
        let width = concurrent.min(total).to_string().len();
        let asked = total.saturating_sub(completed).min(concurrent);
        let text = format!("{active:width$} out of {asked:width$} tasks");
        lines.push(Line::new("active tasks", text));
    };
    if !shown.begun {
        overall(0, 0, lines);
        if total <= BARS_MAX {
            lines.extend((1..=total).map(|slot| Line::new(format!("{slot}/{total}"), " ")));
        }
        shown.begun = true;
    }
    let mut by_slot: BTreeMap<u64, &Task> = BTreeMap::new();
    for task in &look.tasks {
        keep_lowest(&mut by_slot, task.slot, task);
    }
    let (mut active, mut completed) = (0, 0);
    for (place, task) in by_slot.into_values().enumerate() {
        if total <= BARS_MAX {
            lines.push(bars::task(format!("{}/{total}", place + 1), task, FULL));
        }
        active += u64::from(task.status.state < TaskState::Complete);
        completed += u64::from(task.status.state == TaskState::Complete);
    }
    overall(active, completed, lines);
    completed == total
}

/// Whether the tasks of all nodes that the job began on completed.
pub(super) fn global(shown: &mut Shown, look: &Look<'_>, lines: &mut Vec<Line>) -> bool {
    if !shown.begun {
        if look.tasks.is_empty() && !look.active.is_empty() {
            lines.push(Line::new("job progress", "waiting for tasks"));
            return false;
        }
        shown.nodes = look.tasks.iter().map(|task| task.node_id.clone()).collect();
        lines.push(completions(0, shown.nodes.len() as u64));
        shown.begun = true;
    }
    let total = shown.nodes.len() as u64;
    let mut by_node: BTreeMap<&str, &Task> = BTreeMap::new();
    for task in look.tasks.iter().filter(|task| shown.nodes.contains(&task.node_id)) {
        keep_lowest(&mut by_node, task.node_id.as_str(), task);
    }
    let mut completed = 0;
    for (node, task) in by_node {
        if total <= BARS_MAX {
            lines.push(bars::task(node.to_owned(), task, FULL));
        }
        completed += u64::from(task.status.state == TaskState::Complete);
    }
    lines.push(completions(completed, total));
    completed == total
}

fn completions(completed: u64, total: u64) -> Line {
    let width = total.to_string().len();
    Line {
        bar: Some((completed, total)),
        ..Line::new("job progress", format!("{completed:width$} out of {total} complete"))
    }
}

/// A task that goes on counts before one that failed in its place.
fn keep_lowest<'a, K: Ord>(by: &mut BTreeMap<K, &'a Task>, key: K, task: &'a Task) {
    let Some((_, state)) = bars::order(task) else { return };
    match by.get(&key).and_then(|known| bars::number(known.status.state)) {
        Some(known) if known <= state => {}
        _ => drop(by.insert(key, task)),
    }
}
