//! A swarm that runs nothing: an executor with set latencies and a clock that jumps to the next thing that happens.
//!
//! Times are milliseconds since the beginning. The executor keeps containers beside the tasks, as the real one does: a
//! container goes on when its task is given up, until the executor is told to stop it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{TimeDelta, TimeZone, Utc};
use coracle_words::Timestamp;

use super::super::{Surroundings, decide};
use crate::model::task::ContainerStatus;
use crate::model::{Node, NodeState, Role, Service, ServiceSpec, Task, TaskState};
use crate::state::{Change, State};

/// What a container does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    Serve,
    /// Ends after so many milliseconds with that code.
    Exit(i64, i32),
    /// Cannot be made.
    Reject,
}

/// How long things take, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Latency {
    pub(super) prepare: i64,
    pub(super) start: i64,
    pub(super) stop: i64,
}

struct Container {
    node: String,
    /// When it does the next thing.
    due: i64,
    stops: bool,
}

pub(super) struct Sim {
    pub(super) state: State,
    pub(super) around: Surroundings,
    pub(super) now: i64,
    pub(super) latency: Latency,
    /// By service and the first argument.
    pub(super) acts: BTreeMap<String, Act>,
    containers: BTreeMap<String, Container>,
    wake: Option<i64>,
    ids: u64,
    /// `TIME SERVICE.SLOT#N NODE DESIRED STATE`, and update states.
    pub(super) log: Vec<String>,
    names: BTreeMap<String, String>,
    counts: BTreeMap<String, usize>,
    seen: BTreeMap<String, String>,
}

/// The moment so many milliseconds from the beginning.
pub(super) fn moment(milliseconds: i64) -> Timestamp {
    let begin = Utc.with_ymd_and_hms(2026, 11, 29, 12, 0, 0).unwrap();
    Timestamp::from(begin + TimeDelta::milliseconds(milliseconds))
}

impl Sim {
    /// Nodes n1 (a manager), n2, … with 100 ms to prepare, 200 to start, 1000 to stop.
    pub(super) fn new(nodes: u8) -> Self {
        let mut state = State::default();
        for number in 0..nodes {
            let id = format!("n{}", number + 1);
            let mut node = Node { id: id.clone(), ..Node::default() };
            node.description.hostname.clone_from(&id);
            node.description.resources.nano_cpus = 2_000_000_000;
            node.description.resources.memory_bytes = 1 << 30;
            node.status.state = NodeState::Ready;
            node.status.addr = format!("127.77.0.{}", number + 1);
            node.own.number = number;
            node.spec.role = if number == 0 { Role::Manager } else { Role::Worker };
            state.nodes.insert(id, node);
        }
        Self {
            state,
            around: Surroundings::default(),
            now: 0,
            latency: Latency { prepare: 100, start: 200, stop: 1000 },
            acts: BTreeMap::new(),
            containers: BTreeMap::new(),
            wake: None,
            ids: 0,
            log: Vec::new(),
            names: BTreeMap::new(),
            counts: BTreeMap::new(),
            seen: BTreeMap::new(),
        }
    }

    pub(super) fn apply(&mut self, changes: Vec<Change>) {
        self.state.apply(changes, moment(self.now));
        self.note();
    }

    /// Writes down what is new.
    fn note(&mut self) {
        let mut lines = Vec::new();
        for task in self.state.tasks.values() {
            let name = task.short_name();
            let counts = &mut self.counts;
            let name = self.names.entry(task.id.clone()).or_insert_with(|| {
                let count = counts.entry(name.clone()).or_default();
                *count += 1;
                format!("{name}#{count}")
            });
            let node = if task.node_id.is_empty() { "-" } else { &task.node_id };
            let line = format!("{name} {node} {} {}", task.desired_state, task.status.state);
            if self.seen.insert(task.id.clone(), line.clone()).as_ref() != Some(&line) {
                lines.push(line);
            }
        }
        self.seen.retain(|id, line| {
            let gone = !id.starts_with('=') && !self.state.tasks.contains_key(id);
            if gone {
                lines.push(format!("{} removed", line.split(' ').next().unwrap_or_default()));
            }
            !gone
        });
        for service in self.state.services.values() {
            let status = service.update_status.as_ref();
            let line = status.map_or(String::new(), |status| {
                format!("= {} {:?}", service.spec.name, status.state)
            });
            let key = format!("={}", service.id);
            let last = self.seen.insert(key, line.clone()).unwrap_or_default();
            if !line.is_empty() && last != line {
                lines.push(line);
            }
        }
        self.log.extend(lines.into_iter().map(|line| format!("{} {line}", self.now)));
    }

    /// Reconciles until nothing is left to do now.
    pub(super) fn settle(&mut self) {
        for _ in 0..50 {
            let ids = &mut self.ids;
            let mut id = || {
                *ids += 1;
                format!("t{ids:04}")
            };
            let decision = decide(&self.state, &self.around, &mut id, moment(self.now));
            self.wake = decision
                .wake
                .map(|wake| (wake.datetime() - moment(0).datetime()).num_milliseconds());
            if decision.changes.is_empty() {
                return;
            }
            self.apply(decision.changes);
        }
        panic!("does not settle: {:#?}", self.log.iter().rev().take(10).collect::<Vec<_>>());
    }

    fn act(&self, task: &Task) -> Act {
        let args = task.spec.container_spec.args.first().map_or("", String::as_str);
        let keys = [format!("{} {args}", task.short_name()), args.to_owned()];
        keys.iter().find_map(|key| self.acts.get(key)).copied().unwrap_or(Act::Serve)
    }

    /// Whether the executor of a node runs.
    fn is_on(&self, node: &str) -> bool {
        self.state.nodes.get(node).is_some_and(|node| node.own.off_since.is_none())
    }

    /// What the executor does now: changes of tasks.
    fn execute(&mut self) {
        let mut changes = Vec::new();
        let tasks: Vec<Task> = self.state.tasks.values().cloned().collect();
        for task in tasks {
            if !task.node_id.is_empty() && self.is_on(&task.node_id) {
                changes.extend(self.execute_one(task).map(Change::from));
            }
        }
        let now = self.now;
        let here = &self.state;
        self.containers.retain(|id, container| {
            let is_known = here.tasks.get(id).is_some_and(|task| !task.status.state.is_over());
            let is_off =
                here.nodes.get(&container.node).is_some_and(|node| node.own.off_since.is_some());
            is_known || is_off || !(container.stops && container.due <= now)
        });
        if !changes.is_empty() {
            self.apply(changes);
        }
    }

    fn execute_one(&mut self, mut task: Task) -> Option<Task> {
        let unwanted = task.desired_state > TaskState::Complete;
        let state = task.status.state;
        let now = self.now;
        let stop = self.latency.stop;
        if state.is_over() {
            if let Some(container) = self.containers.get_mut(&task.id)
                && !container.stops
            {
                *container = Container { due: now + stop, stops: true, node: task.node_id };
            }
            return None;
        }
        if state < TaskState::Assigned {
            return None;
        }
        if unwanted {
            match self.containers.get_mut(&task.id) {
                Some(container) if !container.stops => {
                    container.stops = true;
                    container.due = now + stop;
                    return None;
                }
                Some(container) if container.due > now => return None,
                _ => {}
            }
            let ran = self.containers.remove(&task.id).is_some();
            return Some(self.end(task, TaskState::Shutdown, if ran { 143 } else { 0 }));
        }
        let since = (task.status.timestamp.datetime() - moment(0).datetime()).num_milliseconds();
        let act = self.act(&task);
        let next = match state {
            TaskState::Assigned | TaskState::Accepted => TaskState::Preparing,
            TaskState::Preparing if now < since + self.latency.prepare => return None,
            TaskState::Preparing if act == Act::Reject => {
                return Some(self.end(task, TaskState::Rejected, 0));
            }
            TaskState::Preparing => TaskState::Ready,
            TaskState::Ready if task.desired_state < TaskState::Running => return None,
            TaskState::Ready => {
                let container = Container { node: task.node_id.clone(), due: 0, stops: false };
                self.containers.insert(task.id.clone(), container);
                TaskState::Starting
            }
            TaskState::Starting if now < since + self.latency.start => return None,
            TaskState::Starting => {
                task.own.running_since = Some(moment(now));
                TaskState::Running
            }
            _ => match act {
                Act::Exit(after, code) if now >= since + after => {
                    self.containers.remove(&task.id);
                    let state = if code == 0 { TaskState::Complete } else { TaskState::Failed };
                    return Some(self.end(task, state, code));
                }
                _ => return None,
            },
        };
        task.status.state = next;
        task.status.timestamp = moment(now);
        Some(task)
    }

    fn end(&self, mut task: Task, state: TaskState, exit_code: i32) -> Task {
        task.status.state = state;
        task.status.timestamp = moment(self.now);
        task.status.container_status =
            Some(ContainerStatus { exit_code, ..ContainerStatus::default() });
        task
    }

    /// When the executor has something to do next.
    fn next_due(&self) -> Option<i64> {
        let mut due: Vec<i64> = self
            .containers
            .values()
            .filter(|c| c.stops && self.is_on(&c.node))
            .map(|c| c.due)
            .collect();
        for task in self.state.tasks.values() {
            if task.node_id.is_empty() || !self.is_on(&task.node_id) {
                continue;
            }
            let state = task.status.state;
            let since =
                (task.status.timestamp.datetime() - moment(0).datetime()).num_milliseconds();
            let unwanted = task.desired_state > TaskState::Complete;
            if unwanted && !state.is_over() && state >= TaskState::Assigned {
                due.push(self.containers.get(&task.id).map_or(self.now, |container| {
                    if container.stops { container.due } else { self.now }
                }));
                continue;
            }
            if state.is_over() && self.containers.get(&task.id).is_some_and(|c| !c.stops) {
                due.push(self.now);
                continue;
            }
            match state {
                TaskState::Assigned | TaskState::Accepted => due.push(self.now),
                TaskState::Preparing => due.push(since + self.latency.prepare),
                TaskState::Ready if task.desired_state >= TaskState::Running => due.push(self.now),
                TaskState::Starting => due.push(since + self.latency.start),
                TaskState::Running => {
                    if let Act::Exit(after, _) = self.act(task) {
                        due.push(since + after);
                    }
                }
                _ => {}
            }
        }
        due.into_iter().min()
    }

    /// Lets time pass up to that moment. `check` looks at each state on the way.
    pub(super) fn run_checked(&mut self, until: i64, mut check: impl FnMut(&Self)) {
        let mut rounds = 0;
        loop {
            self.settle();
            check(self);
            let next = [self.next_due(), self.wake].into_iter().flatten().min();
            match next {
                Some(next) if next <= until => {
                    rounds = if next <= self.now { rounds + 1 } else { 0 };
                    assert!(rounds < 100, "goes round at {}: {:#?}", self.now, self.log.last());
                    self.now = self.now.max(next);
                }
                _ => break,
            }
            self.execute();
        }
        self.now = until;
        self.settle();
    }

    pub(super) fn run(&mut self, until: i64) {
        self.run_checked(until, |_| {});
    }

    /// Kills a container.
    pub(super) fn kill(&mut self, id: &str, code: i32) {
        let Some(task) = self.state.tasks.get(id).cloned() else { return };
        if task.status.state == TaskState::Running && self.is_on(&task.node_id) {
            self.containers.remove(id);
            let ended = self.end(task, TaskState::Failed, code);
            self.apply(vec![Change::from(ended)]);
        }
    }

    /// Takes a node off; on return its containers have died.
    pub(super) fn switch_off(&mut self, id: &str) {
        let mut node = self.state.nodes[id].clone();
        node.own.off_since = Some(moment(self.now));
        self.apply(vec![Change::from(node)]);
    }

    pub(super) fn switch_on(&mut self, id: &str) {
        let mut node = self.state.nodes[id].clone();
        node.own.off_since = None;
        let mut changes = vec![Change::from(node)];
        for task in self.state.tasks.values() {
            if task.node_id == id
                && self.containers.remove(&task.id).is_some()
                && !task.status.state.is_over()
            {
                changes.push(Change::from(self.end(task.clone(), TaskState::Failed, 143)));
            }
        }
        self.apply(changes);
    }

    pub(super) fn set_node(&mut self, id: &str, change: impl FnOnce(&mut Node)) {
        let mut node = self.state.nodes[id].clone();
        change(&mut node);
        self.apply(vec![Change::from(node)]);
    }

    /// Makes a service, whose id is its name.
    pub(super) fn create(&mut self, spec: ServiceSpec) {
        let mut service = Service { id: spec.name.clone(), ..Service::default() };
        if spec.mode.is_job() {
            service.job_status = Some(crate::model::service::JobStatus::default());
        }
        service.spec = spec;
        service.own.spec_version = self.state.index + 1;
        self.apply(vec![Change::from(service)]);
    }

    /// Changes the spec of a service as `service update` does.
    pub(super) fn update(&mut self, name: &str, change: impl FnOnce(&mut ServiceSpec)) {
        let mut service = self.state.services[name].clone();
        service.previous_spec = Some(Box::new(service.spec.clone()));
        service.own.previous_spec_version = service.own.spec_version;
        change(&mut service.spec);
        service.own.spec_version = self.state.index + 1;
        service.update_status = None;
        if let Some(status) = &mut service.job_status {
            status.job_iteration.index += 1;
        }
        self.apply(vec![Change::from(service)]);
    }

    /// The slots with a running task, and where.
    pub(super) fn running(&self, name: &str) -> Vec<(u64, String)> {
        let mut running: Vec<(u64, String)> = self
            .state
            .tasks_of(name)
            .filter(|task| task.status.state == TaskState::Running)
            .map(|task| (task.slot, task.node_id.clone()))
            .collect();
        running.sort();
        running
    }

    /// How many containers there are in each slot (slot, node for global ones) on nodes that are on.
    pub(super) fn containers_by_slot(&self, name: &str) -> BTreeMap<String, BTreeSet<String>> {
        let mut slots: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (id, container) in &self.containers {
            if let Some(task) = self.state.tasks.get(id)
                && task.service_id == name
                && self.is_on(&container.node)
            {
                slots.entry(task.short_name()).or_default().insert(id.clone());
            }
        }
        slots
    }

    /// The log lines that contain a text.
    pub(super) fn lines(&self, text: &str) -> Vec<&str> {
        self.log.iter().map(String::as_str).filter(|line| line.contains(text)).collect()
    }
}
