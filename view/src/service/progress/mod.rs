//! How far a service is on the way to what was asked of it, as Docker's client tells whoever waits. Pure.
//!
//! # How it works
//!
//! [`Progress::step`] is called whenever the state has changed or the time it asked for has come. It gives lines, each
//! under an id whose line before it replaces, and says what is next: waiting, the end, or a failure. A service has
//! converged when it has been as asked for as long as updates are watched (`--update-monitor`, 5 s).
//!
//! # Limits
//!
//! Docker asks the engine five times a second, and says the same again each time; here nothing is said twice.

mod bars;
mod job;
mod tasks;

use std::collections::BTreeSet;
use std::time::Duration;

use coracle_swarm::model::{Mode, NodeState, Service, Task, UpdateState, UpdateStatus};
use coracle_swarm::state::State;

use bars::Shown;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What it is about; a line without stands for itself.
    pub id: String,
    pub text: String,
    /// How full its bar is, of how much. Such lines are for terminals.
    pub bar: Option<(u64, u64)>,
    /// It replaces no line, and no line replaces one before it.
    pub apart: bool,
}

/// What is next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// For a change of the state, and not longer than this.
    Wait(Option<Duration>),
    Done,
    /// In the client's words.
    Failed(String),
}

/// Follows one service.
#[derive(Debug, Default)]
pub struct Progress {
    /// As it was named.
    name: String,
    shown: Shown,
    converged_since: Option<Duration>,
    converged: bool,
    rolls_back: bool,
    /// Said after the end.
    last: Option<Line>,
}

const SECOND: Duration = Duration::from_secs(1);
const MONITOR: Duration = Duration::from_secs(5);

impl Progress {
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// Whether it was as asked when last looked at.
    #[must_use]
    pub fn has_converged(&self) -> bool {
        self.converged
    }

    /// Looks at the state; `now` counts from any moment.
    pub fn step(&mut self, state: &State, id: &str, now: Duration) -> (Vec<Line>, Next) {
        let mut lines = Vec::new();
        let next = self.look(state, id, now, &mut lines);
        (lines, next)
    }

    fn look(&mut self, state: &State, id: &str, now: Duration, lines: &mut Vec<Line>) -> Next {
        let found = state.services.get(id).filter(|service| !service.own.removed);
        let Some(service) = found else {
            return Next::Failed(format!(
                "Error response from daemon: service {} not found",
                self.name
            ));
        };
        if let Some(next) = self.status(service, lines) {
            return next;
        }
        let monitor = monitor(service);
        let since = self.converged_since.filter(|_| self.converged);
        if since.is_some_and(|since| now.saturating_sub(since) >= monitor) {
            lines.push(Line::new("verify", format!("Service {} converged", self.name)));
            lines.extend(self.last.take());
            return Next::Done;
        }
        let tasks: Vec<&Task> =
            state.tasks_of(id).filter(|task| is_up_to_date(service, task)).collect();
        let active = state.nodes.values().filter(|node| node.status.state != NodeState::Down);
        let active: BTreeSet<&str> = active.map(|node| node.id.as_str()).collect();
        let look = bars::Look { service, tasks, active, rolls_back: self.rolls_back };
        self.converged = match &service.spec.mode {
            Mode::Replicated(_) => tasks::replicated(&mut self.shown, &look, lines),
            Mode::Global {} => tasks::global(&mut self.shown, &look, lines),
            Mode::ReplicatedJob(job) => job::replicated(&mut self.shown, &look, job, lines),
            Mode::GlobalJob {} => job::global(&mut self.shown, &look, lines),
        };
        if !self.converged {
            let is_over = |status: &UpdateStatus| status.state == UpdateState::Completed;
            if service.update_status.as_ref().is_some_and(is_over) {
                // It went on past failures, and waits for nothing more.
                return Next::Done;
            }
            if self.converged_since.take().is_some() {
                lines.push(Line::new("verify", "Detected task failure"));
            }
            return Next::Wait(None);
        }
        if service.spec.mode.is_job() {
            lines.push(Line::apart("", "job complete"));
            return Next::Done;
        }
        self.verify(monitor, now, lines)
    }

    fn verify(&mut self, monitor: Duration, now: Duration, lines: &mut Vec<Line>) -> Next {
        let since = *self.converged_since.get_or_insert(now);
        let left = monitor.saturating_sub(now.saturating_sub(since));
        let part = Duration::from_nanos(u64::from(left.subsec_nanos()));
        let seconds = (left.as_secs() + u64::from(!part.is_zero())).max(1);
        let text = format!("Waiting {seconds} seconds to verify that tasks are stable...");
        lines.push(Line::new("verify", text));
        // Until the number of seconds is another one.
        Next::Wait(Some(if part.is_zero() { left.min(SECOND) } else { part }))
    }

    /// What the state of an update says, when that is the end.
    fn status(&mut self, service: &Service, lines: &mut Vec<Line>) -> Option<Next> {
        let status = service.update_status.as_ref()?;
        let message = &status.message;
        match status.state {
            UpdateState::Updating => self.rolls_back = false,
            UpdateState::Completed => {}
            UpdateState::Paused => {
                return Some(Next::Failed(format!("service update paused: {message}")));
            }
            UpdateState::RollbackStarted => {
                if !self.rolls_back && !message.is_empty() {
                    lines.push(Line::new("rollback", message.clone()));
                }
                self.rolls_back = true;
            }
            UpdateState::RollbackPaused => {
                return Some(Next::Failed(format!("service rollback paused: {message}")));
            }
            UpdateState::RollbackCompleted => {
                if !self.converged {
                    self.last = Some(Line::apart("rollback", message.clone()));
                }
                self.rolls_back = true;
            }
        }
        None
    }
}

impl Line {
    fn new(id: impl Into<String>, text: impl Into<String>) -> Self {
        Self { id: id.into(), text: text.into(), bar: None, apart: false }
    }

    fn apart(id: &str, text: impl Into<String>) -> Self {
        Self { apart: true, ..Self::new(id, text) }
    }
}

/// How long tasks are watched.
fn monitor(service: &Service) -> Duration {
    let said = service.spec.update_config.as_ref().map(|config| config.monitor);
    match said.and_then(|nanoseconds| u64::try_from(nanoseconds).ok()) {
        None | Some(0) => MONITOR,
        Some(nanoseconds) => Duration::from_nanos(nanoseconds),
    }
}

/// Whether a task is of the spec, and the run of a job, that its service has now.
pub(super) fn is_up_to_date(service: &Service, task: &Task) -> bool {
    if let Some(status) = &service.job_status {
        return task.job_iteration.unwrap_or_default() == status.job_iteration;
    }
    if task.own.spec_version == service.own.spec_version {
        return true;
    }
    let mut template = service.spec.task_template.clone();
    // A task that fits may stay when only placement differs.
    template.placement.clone_from(&task.spec.placement);
    let asked = service.spec.endpoint_spec.clone().unwrap_or_default();
    template == task.spec && asked == task.own.endpoint_spec.clone().unwrap_or_default()
}

#[cfg(test)]
mod tests;
