//! Recorded timelines played: the executor does at each moment what the nodes of the recorded swarm reported, and what
//! the reconciler decides is compared with what the recorded manager decided.
//!
//! # How it works
//!
//! Docker takes the slots in an order of chance, so the slots of a timeline are told apart by the order in which they are
//! touched. A decision may come [`LATE`] before Docker's, which took its time on a busy machine, and [`EARLY`] after it,
//! which the look ten times a second accounts for. What is decided must be the same, no less and no more.

use std::collections::{BTreeMap, BTreeSet};

use super::play::Play;
use super::recorded::{Seen, Timeline};
use super::sim::{Sim, moment};
use crate::model::task::ContainerStatus;
use crate::model::{Task, TaskState};
use crate::state::Change;

/// How much later than ours a decision of Docker's was seen.
pub(super) const LATE: i64 = 1700;
/// How much earlier: what it follows from was seen late.
pub(super) const EARLY: i64 = 450;

pub(super) type Command<'a> = Box<dyn FnOnce(&mut Sim) + 'a>;

pub(super) struct Replay {
    pub(super) sim: Sim,
    pub(super) timelines: BTreeMap<String, Timeline>,
    /// The highest number of a recorded slot, and what its tasks were wanted to be last.
    pub(super) numbers: BTreeMap<String, u64>,
    pub(super) wanted: BTreeMap<String, String>,
    /// What the slots stood for last, and whether they do in the next timeline.
    pub(super) slots: BTreeMap<String, String>,
    pub(super) keeps_slots: bool,
    /// Whether everything goes well after a timeline, until nothing changes any more.
    pub(super) rests: bool,
}

impl Replay {
    pub(super) fn new(text: &str) -> Self {
        Self {
            sim: Sim::new(3),
            timelines: super::recorded::read(text),
            numbers: BTreeMap::new(),
            wanted: BTreeMap::new(),
            slots: BTreeMap::new(),
            keeps_slots: false,
            rests: true,
        }
    }

    /// Slots stand in the next timeline for those of the last one.
    pub(super) fn keep_slots(&mut self) {
        self.keeps_slots = true;
    }

    /// Plays a timeline with the command that it begins with.
    #[track_caller]
    pub(super) fn play(&mut self, key: &str, command: impl FnOnce(&mut Sim)) {
        self.play_all(key, vec![Box::new(command)], &[]);
    }

    /// A swarm without services again, to go on with the timelines of a service that was removed.
    pub(super) fn after(self) -> Self {
        Self { timelines: self.timelines, ..Self::new("") }
    }

    /// Plays a timeline with all its commands; `apart` are the decisions that are others than Docker's on purpose.
    #[track_caller]
    pub(super) fn play_all(&mut self, key: &str, commands: Vec<Command<'_>>, apart: &[&str]) {
        let timeline = self.timelines[key].clone();
        let mut play = self.begin(&timeline);
        let mut commands: Vec<(i64, Command<'_>)> = begins(&timeline, play.first)
            .into_iter()
            .zip(commands)
            .map(|(at, command)| (play.base + at, command))
            .collect();
        let mut waiting: Vec<(i64, Seen)> = timeline
            .seen
            .iter()
            .filter(|(_, seen)| matches!(seen, Seen::Task { .. } | Seen::Gone(_)))
            .map(|(at, seen)| (play.base + at, seen.clone()))
            .collect();
        let end = play.base + end_of(&timeline) + EARLY;
        loop {
            self.sim.settle();
            self.look(&mut play);
            let now = self.sim.now;
            if commands.first().is_some_and(|(at, _)| *at <= now) {
                (commands.remove(0).1)(&mut self.sim);
                continue;
            }
            if self.execute_recorded(&play, &mut waiting) {
                continue;
            }
            let events = waiting.iter().map(|(at, _)| *at).filter(|at| *at > now);
            let given = commands.iter().map(|(at, _)| *at);
            let wake = self.sim.wake.filter(|at| *at > now);
            match events.chain(given).chain(wake).min() {
                Some(next) if next <= end => self.sim.now = next,
                _ => break,
            }
        }
        self.sim.now = end;
        self.compare(key, &timeline, &play, apart);
        for listing in &timeline.listings {
            self.compare_listing(key, listing, &play.slots);
        }
        self.slots = play.slots;
        self.keeps_slots = false;
        if self.rests {
            self.come_to_rest();
        }
    }

    /// Does what the nodes reported up to now and what is possible; true when that was something.
    fn execute_recorded(&mut self, play: &Play, waiting: &mut Vec<(i64, Seen)>) -> bool {
        let now = self.sim.now;
        let mut changes = Vec::new();
        let mut held: BTreeSet<String> = BTreeSet::new();
        waiting.retain(|(at, seen)| {
            let (name, state, error) = match seen {
                Seen::Task { name, state, error, .. } => (name, state.as_str(), error.as_str()),
                // Its end was not seen.
                Seen::Gone(name) => (name, "shutdown", ""),
                _ => return false,
            };
            if *at > now || held.contains(name) {
                return true;
            }
            let id = play.resolve(name);
            let task = id.as_ref().and_then(|id| self.sim.state.tasks.get(id));
            let outcome = task.map_or(Outcome::Later, |task| step(task, state, error, now));
            match outcome {
                Outcome::Later => {
                    held.insert(name.clone());
                    true
                }
                Outcome::Nothing => false,
                Outcome::Done(task) => {
                    // One step of a task at a time.
                    held.insert(name.clone());
                    changes.push(Change::from(*task));
                    false
                }
            }
        });
        let some = !changes.is_empty();
        if some {
            self.sim.apply(changes);
        }
        some
    }

    /// After the recorded time everything goes well, until nothing changes any more.
    pub(super) fn come_to_rest(&mut self) {
        let end = self.sim.now + 300_000;
        loop {
            self.sim.settle();
            let now = moment(self.sim.now);
            let mut changes = Vec::new();
            for task in self.sim.state.tasks.values() {
                let state = task.status.state;
                if state < TaskState::Assigned || state.is_over() || !self.sim.is_on(&task.node_id)
                {
                    continue;
                }
                let to = match task.desired_state {
                    wanted if wanted > TaskState::Complete => TaskState::Shutdown,
                    TaskState::Running if state < TaskState::Running => TaskState::Running,
                    _ => continue,
                };
                let mut task = task.clone();
                task.status.state = to;
                task.status.timestamp = now;
                if to == TaskState::Running {
                    task.own.running_since = Some(now);
                }
                changes.push(Change::from(task));
            }
            if !changes.is_empty() {
                self.sim.apply(changes);
                continue;
            }
            match self.sim.wake.filter(|at| *at > self.sim.now) {
                Some(next) if next <= end => self.sim.now = next,
                _ => break,
            }
        }
        self.sim.now = end;
        self.sim.settle();
    }
}

/// When the commands of a timeline are given: as told, or when the first decision is seen. A node is lost with its last
/// heartbeat, two and a half periods before it is down; how long before the command that was is chance.
fn begins(timeline: &Timeline, first: Option<i64>) -> Vec<i64> {
    let commands = timeline.seen.iter().enumerate().filter(|(_, (_, it))| *it == Seen::Command);
    let told: Vec<i64> = commands
        .map(|(number, (at, _))| match timeline.seen.get(number + 1) {
            // It took effect then.
            Some((after, Seen::Node { .. })) => *after,
            _ => *at,
        })
        .collect();
    let is_node = |it: &&(i64, Seen)| matches!(&it.1, Seen::Node { name, .. } if !name.is_empty());
    let node = timeline.seen.iter().find(is_node);
    match (told.is_empty(), node, first) {
        (false, ..) => told,
        (_, Some((at, Seen::Node { state, .. })), _) if state == "down" => {
            assert!((12_000..16_000).contains(at), "{at}");
            vec![(at - 12_500).max(0)]
        }
        (_, Some((at, _)), first) => vec![first.map_or(*at, |first| first.min(*at))],
        (_, None, first) => vec![first.unwrap_or_default()],
    }
}

enum Outcome {
    Later,
    Nothing,
    Done(Box<Task>),
}

/// A task as its node reports it, if that can be.
fn step(task: &Task, state: &str, error: &str, now: i64) -> Outcome {
    let to: TaskState = match serde_json::from_value(serde_json::Value::from(state)) {
        Ok(state) => state,
        Err(error) => panic!("{state}: {error}"),
    };
    let is = task.status.state;
    if to <= TaskState::Assigned || to == TaskState::Orphaned || is.is_over() || to <= is {
        return Outcome::Nothing;
    }
    let runs = matches!(
        to,
        TaskState::Starting | TaskState::Running | TaskState::Complete | TaskState::Failed
    );
    if is < TaskState::Assigned
        || (runs && task.desired_state < TaskState::Running)
        || (to == TaskState::Shutdown && task.desired_state < TaskState::Shutdown)
    {
        return Outcome::Later;
    }
    let mut task = task.clone();
    task.status.state = to;
    task.status.timestamp = moment(now);
    error.clone_into(&mut task.status.err);
    let has_run = matches!(to, TaskState::Running | TaskState::Complete | TaskState::Failed);
    if has_run && task.own.running_since.is_none() && !error.contains("unhealthy") {
        task.own.running_since = Some(moment(now));
    }
    if to.is_over() {
        task.status.container_status = Some(ContainerStatus::default());
    }
    Outcome::Done(Box::new(task))
}

/// Nobody looked any more when an update was over.
pub(super) fn end_of(timeline: &Timeline) -> i64 {
    timeline.seen.last().map_or(timeline.window, |(at, _)| *at)
}
