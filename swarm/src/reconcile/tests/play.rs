//! One recorded timeline in the course of being played: which slots and tasks of ours stand for which recorded ones, and
//! what is decided.

use std::collections::{BTreeMap, BTreeSet};

use super::recorded::{Seen, Timeline, without_task};
use super::replay::Replay;
use crate::model::{Task, TaskState};

/// One timeline in the course of being played.
pub(super) struct Play {
    pub(super) base: i64,
    /// When the first thing was decided.
    pub(super) first: Option<i64>,
    /// Recorded slots that are not mapped yet, by service, in the order in which they are touched.
    pub(super) order: BTreeMap<String, Vec<String>>,
    pub(super) services: BTreeSet<String>,
    /// Of recorded slots.
    pub(super) slots: BTreeMap<String, String>,
    /// The tasks of our slots: at the beginning, and those that came.
    pub(super) old: BTreeMap<String, Vec<String>>,
    pub(super) new: BTreeMap<String, Vec<String>>,
    /// Tasks of recorded slots, in the same way.
    pub(super) recorded_old: BTreeMap<String, Vec<String>>,
    pub(super) recorded_new: BTreeMap<String, Vec<String>>,
    pub(super) last: BTreeMap<String, String>,
    /// The highest number of each recorded slot before.
    pub(super) numbers: BTreeMap<String, u64>,
    /// What was decided when: task, state; updates; nodes.
    pub(super) decided: Vec<(i64, String, String)>,
}

pub(super) fn slot_of(task: &str) -> String {
    task.rsplit_once('#').unwrap().0.to_owned()
}

pub(super) fn number_of(task: &str) -> u64 {
    task.rsplit_once('#').unwrap().1.parse().unwrap()
}

pub(super) fn service_of(slot: &str) -> String {
    slot.split('.').next().unwrap().to_owned()
}

/// The recorded name of our node.
pub(super) fn node_name(node: &str) -> String {
    node.replace('n', "swm")
}

impl Replay {
    fn blank(&self) -> Play {
        Play {
            base: self.sim.now,
            first: None,
            order: BTreeMap::new(),
            services: BTreeSet::new(),
            slots: if self.keeps_slots { self.slots.clone() } else { BTreeMap::new() },
            old: BTreeMap::new(),
            new: BTreeMap::new(),
            recorded_old: BTreeMap::new(),
            recorded_new: BTreeMap::new(),
            last: BTreeMap::new(),
            numbers: self.numbers.clone(),
            decided: Vec::new(),
        }
    }

    pub(super) fn begin(&self, timeline: &Timeline) -> Play {
        let mut play = self.blank();
        let mut tasks: Vec<&Task> = self.sim.state.tasks.values().collect();
        tasks.sort_by_key(|task| (task.meta.created_at, task.id.clone()));
        for task in tasks {
            play.old.entry(task.short_name()).or_default().push(task.id.clone());
            play.last.insert(task.id.clone(), task.desired_state.to_string());
            if task.status.state == TaskState::Orphaned {
                play.last.insert(format!("{} orphaned", task.id), String::new());
            }
        }
        let mut wanted = self.wanted.clone();
        for (at, seen) in &timeline.seen {
            if matches!(seen, Seen::Update(_)) {
                play.first.get_or_insert(*at);
            }
            let (Seen::Task { name, .. } | Seen::Gone(name)) = seen else { continue };
            let slot = slot_of(name);
            play.services.insert(service_of(&slot));
            let fresh = match (seen, self.numbers.get(&slot)) {
                (_, Some(known)) => number_of(name) > *known,
                (Seen::Task { desired, state, .. }, None) => {
                    !["running", "complete", "failed", "orphaned"].contains(&state.as_str())
                        && ["running", "ready"].contains(&desired.as_str())
                }
                _ => false,
            };
            let lists = [&mut play.recorded_old, &mut play.recorded_new];
            let known =
                lists.iter().any(|list| list.get(&slot).is_some_and(|it| it.contains(name)));
            if !known {
                let list = if fresh { &mut play.recorded_new } else { &mut play.recorded_old };
                list.entry(slot.clone()).or_default().push(name.clone());
            }
            let Seen::Task { desired, .. } = seen else { continue };
            let changed = wanted.insert(name.clone(), desired.clone()).as_ref() != Some(desired);
            let touches = fresh || (changed && ["shutdown", "remove"].contains(&desired.as_str()));
            if touches {
                play.first.get_or_insert(*at);
            }
            let order = play.order.entry(service_of(&slot)).or_default();
            if touches && !order.contains(&slot) {
                order.push(slot);
            }
        }
        if self.keeps_slots {
            // Those that were not touched the last time stand for those that are left.
            for (service, order) in &mut play.order {
                order.retain(|slot| !play.slots.contains_key(slot));
                let prefix = format!("{service}.");
                let taken: BTreeSet<String> = play.slots.values().cloned().collect();
                let ours =
                    play.old.keys().filter(|it| it.starts_with(&prefix) && !taken.contains(*it));
                play.slots.extend(order.drain(..).zip(ours.cloned()));
            }
        }
        for list in play.recorded_old.values_mut().chain(play.recorded_new.values_mut()) {
            list.sort_by_key(|name| number_of(name));
        }
        play
    }

    /// Notes what was decided.
    pub(super) fn look(&self, play: &mut Play) {
        let at = self.sim.now - play.base;
        let state = &self.sim.state;
        let mut tasks: Vec<&Task> = state.tasks.values().collect();
        tasks.retain(|task| play.services.contains(&task.service_id));
        tasks.sort_by_key(|task| (task.meta.created_at, task.slot, task.id.clone()));
        for task in tasks {
            let desired = task.desired_state.to_string();
            let before = play.last.insert(task.id.clone(), desired.clone());
            if before.is_none() {
                play.new.entry(task.short_name()).or_default().push(task.id.clone());
            }
            if before.as_ref() != Some(&desired) {
                if before.is_none() || task.desired_state >= TaskState::Shutdown {
                    play.touch(task);
                }
                play.decided.push((at, task.id.clone(), desired));
            }
            let orphaned = format!("{} orphaned", task.id);
            if task.status.state == TaskState::Orphaned
                && play.last.insert(orphaned, String::new()).is_none()
            {
                play.decided.push((at, task.id.clone(), "orphaned".to_owned()));
            }
        }
        let gone: Vec<String> = play
            .last
            .keys()
            .filter(|id| id.starts_with('t') && !id.contains(' '))
            .filter(|id| !state.tasks.contains_key(*id))
            .cloned()
            .collect();
        for id in gone {
            play.last.remove(&id);
            play.decided.push((at, id, "gone".to_owned()));
        }
        let mut now: Vec<(String, String)> = Vec::new();
        for service in state.services.values() {
            let status = service.update_status.as_ref().map_or(String::new(), |status| {
                let state = serde_json::to_value(status.state).unwrap();
                format!("{}: {}", state.as_str().unwrap(), without_task(&status.message))
            });
            now.push((format!("={}", service.id), status));
        }
        for node in state.nodes.values() {
            let state = format!("{:?}", node.status.state).to_lowercase();
            now.push((format!("@{}", node_name(&node.id)), state));
        }
        for (key, text) in now {
            let before = play.last.insert(key.clone(), text.clone());
            if before.is_some_and(|before| before != text) {
                play.decided.push((at, key, text));
            }
        }
    }
}

impl Play {
    /// A slot of ours that is touched for the first time stands for the next recorded one of its service.
    fn touch(&mut self, task: &Task) {
        let slot = task.short_name();
        if self.slots.values().any(|ours| *ours == slot) {
            return;
        }
        let order = self.order.entry(service_of(&slot)).or_default();
        let global = service_of(&slot) + "." + &node_name(&task.node_id);
        let position =
            if task.slot == 0 { order.iter().position(|it| *it == global) } else { Some(0) };
        if let Some(position) = position.filter(|it| *it < order.len()) {
            self.slots.insert(order.remove(position), slot);
        }
    }

    /// Our task for a recorded one.
    pub(super) fn resolve(&self, name: &str) -> Option<String> {
        let slot = slot_of(name);
        let ours = self.slots.get(&slot)?;
        if let Some(at) =
            self.recorded_new.get(&slot).and_then(|it| it.iter().position(|it| it == name))
        {
            return self.new.get(ours)?.get(at).cloned();
        }
        let last = self.recorded_old.get(&slot)?.iter().map(|it| number_of(it)).max()?;
        let last = self.numbers.get(&slot).copied().unwrap_or(last);
        let from_end = usize::try_from(last - number_of(name)).ok()?;
        self.old.get(ours)?.iter().rev().nth(from_end).cloned()
    }

    /// The recorded name of a task of ours, or its id.
    pub(super) fn recorded_name(&self, id: &str) -> String {
        let lists = [&self.recorded_old, &self.recorded_new];
        let names = lists.into_iter().flat_map(BTreeMap::values).flatten();
        let found = names.into_iter().find(|name| self.resolve(name).as_deref() == Some(id));
        found.cloned().unwrap_or_else(|| id.to_owned())
    }
}
