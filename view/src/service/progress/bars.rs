//! What the lines of all modes have in common: numbers of states, bars, words of errors.

use std::collections::{BTreeMap, BTreeSet};

use coracle_swarm::model::{Service, Task, TaskState};

use super::Line;

/// Beyond that many tasks there is no line for each.
pub(super) const BARS_MAX: u64 = 20;
/// A running task fills its bar.
pub(super) const FULL: u64 = 9;

/// What was shown so far.
#[derive(Debug, Default)]
pub(super) struct Shown {
    pub(super) begun: bool,
    /// All tasks ran when last looked at.
    pub(super) done: bool,
    /// Which line a slot has.
    pub(super) lines: BTreeMap<u64, usize>,
    /// The nodes that a global job began on.
    pub(super) nodes: BTreeSet<String>,
}

/// What is looked at.
#[derive(Debug)]
pub(super) struct Look<'a> {
    pub(super) service: &'a Service,
    /// Those that are up to date.
    pub(super) tasks: Vec<&'a Task>,
    /// Nodes that are not down.
    pub(super) active: BTreeSet<&'a str>,
    pub(super) rolls_back: bool,
}

/// The place of a state in the order that bars go by; states beyond failure have none.
pub(super) fn number(state: TaskState) -> Option<u64> {
    Some(match state {
        TaskState::New => 1,
        TaskState::Pending => 3,
        TaskState::Assigned => 4,
        TaskState::Accepted => 5,
        TaskState::Preparing => 6,
        TaskState::Ready => 7,
        TaskState::Starting => 8,
        TaskState::Running => FULL,
        TaskState::Complete => 10,
        TaskState::Shutdown => 11,
        TaskState::Failed => 12,
        TaskState::Rejected => 13,
        TaskState::Remove | TaskState::Orphaned => return None,
    })
}

/// The states by which tasks of one place are compared: wanted, then seen.
pub(super) fn order(task: &Task) -> Option<(u64, u64)> {
    Some((number(task.desired_state)?, number(task.status.state)?))
}

pub(super) fn overall(look: &Look<'_>, running: usize, all: u64) -> Line {
    let what = if look.rolls_back { "rolling back update: " } else { "" };
    Line::new("overall progress", format!("{what}{running} out of {all} tasks"))
}

/// The line of a task: its error, or its state with a bar.
pub(super) fn task(id: String, task: &Task, full: u64) -> Line {
    match task.status.err.as_str() {
        "" => Line {
            bar: number(task.status.state).map(|number| (number, full)),
            ..Line::new(id, format!("{:<9}", task.status.state.to_string()))
        },
        error => Line::new(id, cut(error)),
    }
}

/// An error that fits in a line of a narrow terminal.
fn cut(error: &str) -> String {
    const BYTES_MAX: usize = 75;
    let error = error.replace('\n', " ");
    if error.len() <= BYTES_MAX {
        return error;
    }
    let end = (0..BYTES_MAX).rev().find(|end| error.is_char_boundary(*end)).unwrap_or(0);
    format!("{}…", &error[..end])
}
