//! A swarm that runs nothing: an executor ([`super::executor`]) with set latencies and a clock that jumps to the next thing that happens.
//!
//! Times are milliseconds since the beginning. The executor keeps containers beside the tasks, as the real one does: a
//! container goes on when its task is given up, until the executor is told to stop it.

use std::collections::BTreeMap;

use chrono::{TimeDelta, TimeZone, Utc};
use coracle_words::Timestamp;

use super::super::{Addresses, Surroundings, decide};
use crate::command::{Rollback, create_service, update_service};
use crate::model::{Node, NodeState, Role, ServiceSpec, TaskState};
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

pub(super) struct Container {
    pub(super) node: String,
    /// When it has stopped.
    pub(super) due: i64,
    pub(super) stops: bool,
}

pub(super) struct Sim {
    pub(super) state: State,
    pub(super) around: Surroundings,
    pub(super) others: Addresses,
    pub(super) now: i64,
    pub(super) latency: Latency,
    /// By service and the first argument.
    pub(super) acts: BTreeMap<String, Act>,
    pub(super) containers: BTreeMap<String, Container>,
    pub(super) wake: Option<i64>,
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
            others: Addresses::new(),
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
            let decision = decide(
                &self.state,
                &self.around,
                &mut || self.others.clone(),
                &mut id,
                moment(self.now),
            );
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

    pub(super) fn set_node(&mut self, id: &str, change: impl FnOnce(&mut Node)) {
        let mut node = self.state.nodes[id].clone();
        change(&mut node);
        self.apply(vec![Change::from(node)]);
    }

    /// Makes a service, whose id is its name.
    pub(super) fn create(&mut self, spec: ServiceSpec) {
        let id = spec.name.clone();
        let changes = create_service(&self.state, spec, id, moment(self.now)).unwrap();
        self.apply(changes);
    }

    /// `service update`.
    pub(super) fn update(&mut self, name: &str, change: impl FnOnce(&mut ServiceSpec)) {
        let mut spec = self.state.services[name].spec.clone();
        change(&mut spec);
        self.change(name, spec, Rollback::No);
    }

    /// `service rollback`.
    pub(super) fn roll_back(&mut self, name: &str) {
        self.change(name, ServiceSpec::default(), Rollback::Previous);
    }

    fn change(&mut self, name: &str, spec: ServiceSpec, rollback: Rollback) {
        let version = self.state.services[name].meta.version.index;
        let now = moment(self.now);
        let changes = update_service(&self.state, name, version, spec, rollback, now).unwrap();
        self.apply(changes);
    }

    /// What containers do goes by another clock than the one that is set.
    pub(super) fn jump(&mut self, milliseconds: i64) {
        self.containers.values_mut().for_each(|container| container.due += milliseconds);
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

    /// The log lines that contain a text.
    pub(super) fn lines(&self, text: &str) -> Vec<&str> {
        self.log.iter().map(String::as_str).filter(|line| line.contains(text)).collect()
    }
}
