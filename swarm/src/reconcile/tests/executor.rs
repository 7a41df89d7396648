//! The executor of the simulation: takes tasks from ASSIGNED on, as the agent does, in set times.

use std::collections::{BTreeMap, BTreeSet};

use super::sim::{Act, Container, Sim, moment};
use crate::model::task::ContainerStatus;
use crate::model::{Task, TaskState};
use crate::state::Change;

impl Sim {
    fn act(&self, task: &Task) -> Act {
        let args = task.spec.container_spec.args.first().map_or("", String::as_str);
        let keys = [format!("{} {args}", task.short_name()), args.to_owned()];
        keys.iter().find_map(|key| self.acts.get(key)).copied().unwrap_or(Act::Serve)
    }

    /// Whether the executor of a node runs.
    pub(super) fn is_on(&self, node: &str) -> bool {
        self.state.nodes.get(node).is_some_and(|node| node.own.off_since.is_none())
    }

    /// What the executor does now: changes of tasks.
    pub(super) fn execute(&mut self) {
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
    pub(super) fn next_due(&self) -> Option<i64> {
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
}
