//! Why a service has not converged: from what is seen to what is behind it. Pure.
//!
//! # How it works
//!
//! The state of the swarm and what is known of the containers of its tasks go in; lines come out, each with how deep
//! in the chain it is. Each place (a slot, or a node of a global service) that does not run what is asked for has a
//! cause; places with the same one are told together. An update that was paused or rolled back names the task that
//! made it so, which is followed too.
//!
//! # Limits
//!
//! A task that ended is told of for as long as the history of its slot keeps it.

use std::collections::BTreeMap;

use coracle_runtime::model::State as ContainerState;
use coracle_swarm::model::{Mode, Service, Task, TaskState, UpdateState};
use coracle_swarm::state::State;

mod cause;

/// What is known of a task's container.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    pub state: ContainerState,
    /// The end of what it wrote.
    pub last_lines: Vec<String>,
}

/// One line, and how deep in the chain it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    pub depth: usize,
    pub text: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    pub is_converged: bool,
    pub lines: Vec<Line>,
}

impl Answer {
    fn say(&mut self, depth: usize, text: impl Into<String>) {
        self.lines.push(Line { depth, text: text.into() });
    }
}

/// How many tasks are as asked for, of how many.
#[derive(Debug, Clone, Copy)]
struct Tally {
    done: u64,
    wanted: u64,
}

/// Explains a service; `seen` are the containers by the ids of their tasks.
#[must_use]
pub fn why(state: &State, service: &Service, seen: &BTreeMap<String, Seen>) -> Answer {
    let name = &service.spec.name;
    let tally = tally(state, service);
    let Tally { done, wanted } = tally;
    let verb = if service.spec.mode.is_job() { "completed" } else { "run" };
    let mut answer = Answer { is_converged: settled(service, tally), ..Answer::default() };
    let is = if answer.is_converged { "is" } else { "is not" };
    answer.say(0, format!("{name} {is} converged: {done} of {wanted} tasks {verb}"));
    update(state, service, seen, &mut answer);
    if done >= wanted && wanted > 0 {
        return answer;
    }
    let mut causes: BTreeMap<Vec<Line>, Vec<String>> = BTreeMap::new();
    for (place, tasks) in places(state, service) {
        if tasks.iter().any(|task| is_done(state, service, task)) {
            continue;
        }
        causes.entry(cause::of(state, service, &tasks, seen)).or_default().push(place);
    }
    if causes.is_empty() && !answer.is_converged {
        cause::nothing_made(service, &mut answer);
    }
    for (mut lines, places) in causes {
        let whose = match places.as_slice() {
            [one] => one.clone(),
            [first, rest @ ..] => format!("{first} and {} more", rest.len()),
            [] => continue,
        };
        if let Some(first) = lines.first_mut() {
            first.text.insert_str(0, &format!("{whose}: "));
        }
        answer.lines.extend(lines);
    }
    answer
}

/// Whether a service is as asked for, and no update is on its way.
#[must_use]
pub fn is_converged(state: &State, service: &Service) -> bool {
    settled(service, tally(state, service))
}

fn settled(service: &Service, Tally { done, wanted }: Tally) -> bool {
    use UpdateState::{Paused, RollbackPaused, RollbackStarted, Updating};
    let state = service.update_status.as_ref().map(|status| status.state);
    let on_the_way = matches!(state, Some(Updating | Paused | RollbackStarted | RollbackPaused));
    let is_empty_global = matches!(service.spec.mode, Mode::Global {}) && wanted == 0;
    done >= wanted && !on_the_way && !is_empty_global
}

fn tally(state: &State, service: &Service) -> Tally {
    let tasks: Vec<&Task> = state.tasks_of(&service.id).collect();
    let done = tasks.iter().filter(|task| is_done(state, service, task)).count();
    let asked = match service.spec.mode {
        Mode::Replicated(mode) => Some(mode.replicas.unwrap_or(1)),
        Mode::ReplicatedJob(job) => Some(job.total_completions.unwrap_or(1)),
        Mode::Global {} | Mode::GlobalJob {} => None,
    };
    let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let wanted = asked.unwrap_or_else(|| {
        let wanted = |task: &&&Task| cause::is_wanted(task) || is_done(state, service, task);
        count(tasks.iter().filter(wanted).count())
    });
    Tally { done: count(done), wanted }
}

/// Whether a task is what is asked for: it runs as the spec says, or has completed as a job.
fn is_done(state: &State, service: &Service, task: &Task) -> bool {
    if !super::progress::is_up_to_date(service, task) {
        return false;
    }
    if service.spec.mode.is_job() {
        return task.status.state == TaskState::Complete;
    }
    cause::is_wanted(task)
        && task.status.state == TaskState::Running
        && cause::lost_node(state, task).is_none()
}

/// The tasks of each place, the newest first.
fn places<'a>(state: &'a State, service: &'a Service) -> BTreeMap<String, Vec<&'a Task>> {
    let mut places: BTreeMap<String, Vec<&Task>> = BTreeMap::new();
    for task in state.tasks_of(&service.id) {
        let place = match (task.slot, state.nodes.get(&task.node_id)) {
            (0, Some(node)) => format!("{}.{}", service.spec.name, crate::node::name_of(node)),
            _ => task.short_name(),
        };
        places.entry(place).or_default().push(task);
    }
    for tasks in places.values_mut() {
        tasks.sort_by_key(|task| std::cmp::Reverse((task.meta.created_at, task.own.spec_version)));
    }
    // A slot that was scaled away leaves only its past.
    places.retain(|_, tasks| {
        tasks.iter().any(|task| {
            cause::is_wanted(task)
                || matches!(task.status.state, TaskState::Failed | TaskState::Rejected)
                || is_done(state, service, task)
        })
    });
    places
}

/// What an update that did not end well says, and the task that it is about.
fn update(state: &State, service: &Service, seen: &BTreeMap<String, Seen>, answer: &mut Answer) {
    let Some(status) = &service.update_status else { return };
    let words = match status.state {
        UpdateState::Completed => return,
        UpdateState::Updating => "its update is under way",
        UpdateState::Paused => "its update is paused",
        UpdateState::RollbackStarted => "it is being rolled back",
        UpdateState::RollbackPaused => "its rollback is paused",
        UpdateState::RollbackCompleted => "its last update was rolled back",
    };
    let task = status.message.rsplit(' ').next().and_then(|id| state.tasks.get(id));
    let text = match status.message.as_str() {
        message if message.is_empty() || status.state == UpdateState::Updating => words.to_owned(),
        message => format!("{words}: {message}"),
    };
    answer.say(1, text);
    if let Some(task) = task.filter(|task| task.status.state.is_over()) {
        answer.lines.extend(cause::ended(task, seen.get(&task.id), 2));
    }
}

#[cfg(test)]
mod tests;
