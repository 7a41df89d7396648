//! The state in the course of a decision: what is read is borrowed, what is changed is a copy.

use std::borrow::Cow;
use std::collections::BTreeMap;

use coracle_words::Timestamp;

use crate::model::{DesiredState, Node, NodeState, Service, SlotKey, Task, TaskState, TaskStatus};
use crate::state::{Change, State};

use super::Decision;

/// Where a task stands in a [`Draft`].
pub(super) type TaskNo = usize;

struct Entry<'a> {
    task: Cow<'a, Task>,
    removed: bool,
    /// It was in the state when the decision began.
    known: bool,
}

pub(super) struct Draft<'a> {
    pub(super) state: &'a State,
    pub(super) now: Timestamp,
    ids: &'a mut dyn FnMut() -> String,
    tasks: Vec<Entry<'a>>,
    by_service: BTreeMap<&'a str, Vec<TaskNo>>,
    services: BTreeMap<&'a str, Option<Service>>,
    nodes: BTreeMap<&'a str, Node>,
    wake: Option<Timestamp>,
    /// How often a task was looked at.
    #[cfg(test)]
    pub(super) looks: std::cell::Cell<usize>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(
        state: &'a State,
        ids: &'a mut dyn FnMut() -> String,
        now: Timestamp,
    ) -> Self {
        let mut tasks = Vec::with_capacity(state.tasks.len());
        let mut by_service: BTreeMap<&str, Vec<TaskNo>> = BTreeMap::new();
        for (number, task) in state.tasks.values().enumerate() {
            tasks.push(Entry { task: Cow::Borrowed(task), removed: false, known: true });
            by_service.entry(&task.service_id).or_default().push(number);
        }
        Self {
            state,
            now,
            ids,
            tasks,
            by_service,
            services: BTreeMap::new(),
            nodes: BTreeMap::new(),
            wake: None,
            #[cfg(test)]
            looks: std::cell::Cell::default(),
        }
    }

    /// Looks again at that moment at the latest.
    pub(super) fn wake_at(&mut self, moment: Timestamp) {
        self.wake = Some(self.wake.map_or(moment, |earlier| earlier.min(moment)));
    }

    pub(super) fn service(&self, id: &str) -> Option<&Service> {
        match self.services.get(id) {
            Some(changed) => changed.as_ref(),
            None => self.state.services.get(id),
        }
    }

    pub(super) fn put_service(&mut self, service: Service) {
        if let Some((id, _)) = self.state.services.get_key_value(&service.id) {
            self.services.insert(id, Some(service));
        }
    }

    pub(super) fn remove_service(&mut self, id: &str) {
        if let Some((id, _)) = self.state.services.get_key_value(id) {
            self.services.insert(id, None);
        }
    }

    pub(super) fn node(&self, id: &str) -> Option<&Node> {
        self.nodes.get(id).or_else(|| self.state.nodes.get(id))
    }

    pub(super) fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.state.nodes.iter().map(|(id, node)| self.nodes.get(id.as_str()).unwrap_or(node))
    }

    pub(super) fn put_node(&mut self, node: Node) {
        if let Some((id, _)) = self.state.nodes.get_key_value(&node.id) {
            self.nodes.insert(id, node);
        }
    }

    /// A node on which nothing goes on: it is not there, or down.
    pub(super) fn is_lost(&self, node: &str) -> bool {
        self.node(node).is_none_or(|node| node.status.state == NodeState::Down)
    }

    pub(super) fn task(&self, number: TaskNo) -> &Task {
        #[cfg(test)]
        self.looks.set(self.looks.get() + 1);
        &self.tasks[number].task
    }

    pub(super) fn change(&mut self, number: TaskNo) -> &mut Task {
        self.tasks[number].task.to_mut()
    }

    /// All tasks that there are.
    pub(super) fn tasks(&self) -> impl Iterator<Item = (TaskNo, &Task)> {
        let entries = self.tasks.iter().enumerate().filter(|(_, entry)| !entry.removed);
        entries.map(|(number, entry)| (number, &*entry.task))
    }

    /// The tasks of a service.
    pub(super) fn of_service(&self, id: &str) -> Vec<TaskNo> {
        let numbers = self.by_service.get(id).map_or(&[][..], Vec::as_slice);
        numbers.iter().copied().filter(|number| !self.tasks[*number].removed).collect()
    }

    pub(super) fn find(&self, id: &str) -> Option<TaskNo> {
        // Those of the state come first, in the order of their ids.
        let (known, new) = self.tasks.split_at(self.state.tasks.len());
        let known_at = known.binary_search_by(|entry| entry.task.id.as_str().cmp(id)).ok();
        let new_at = || new.iter().position(|entry| entry.task.id == id);
        let at = known_at.or_else(|| new_at().map(|at| at + known.len()))?;
        (!self.tasks[at].removed).then_some(at)
    }

    pub(super) fn remove(&mut self, number: TaskNo) {
        self.tasks[number].removed = true;
    }

    /// A new task of a service, wanted to run; on that node, if it is named.
    pub(super) fn add(&mut self, service: &Service, slot: &SlotKey) -> TaskNo {
        let mut task = Task {
            id: (self.ids)(),
            spec: service.spec.task_template.clone(),
            service_id: service.id.clone(),
            slot: slot.slot,
            node_id: slot.node.clone(),
            desired_state: TaskState::Running,
            status: TaskStatus {
                timestamp: self.now,
                state: TaskState::New,
                message: "created".to_owned(),
                ..TaskStatus::default()
            },
            ..Task::default()
        };
        task.meta.created_at = self.now;
        task.own.spec_version = service.own.spec_version;
        task.own.endpoint_spec.clone_from(&service.spec.endpoint_spec);
        task.own.service_name.clone_from(&service.spec.name);
        task.own.service_labels.clone_from(&service.spec.labels);
        if service.spec.mode.is_job() {
            task.job_iteration = service.job_status.map(|status| status.job_iteration);
            task.desired_state = TaskState::Complete;
        }
        let number = self.tasks.len();
        self.tasks.push(Entry { task: Cow::Owned(task), removed: false, known: false });
        if let Some((id, _)) = self.state.services.get_key_value(&service.id) {
            self.by_service.entry(id).or_default().push(number);
        }
        number
    }

    /// Wants a task no more. One that no node has yet is over at once.
    pub(super) fn stop(&mut self, number: TaskNo, desired: DesiredState) {
        let now = self.now;
        let task = self.change(number);
        task.desired_state = desired;
        if task.status.state < TaskState::Assigned {
            task.status = TaskStatus {
                timestamp: now,
                state: TaskState::Shutdown,
                message: "shutdown".to_owned(),
                ..TaskStatus::default()
            };
        }
    }

    /// What was decided.
    pub(super) fn finish(self) -> Decision {
        let state = self.state;
        let mut changes = Vec::new();
        for (id, node) in self.nodes {
            if state.nodes.get(id) != Some(&node) {
                changes.push(Change::from(node));
            }
        }
        for (id, service) in self.services {
            match service {
                Some(service) if state.services.get(id) != Some(&service) => {
                    changes.push(Change::from(service));
                }
                Some(_) => {}
                None => changes.push(Change::RemoveService(id.to_owned())),
            }
        }
        for entry in self.tasks {
            match entry.task {
                task if entry.removed => {
                    if entry.known {
                        changes.push(Change::RemoveTask(task.id.clone()));
                    }
                }
                Cow::Borrowed(_) => {}
                Cow::Owned(task) => {
                    if state.tasks.get(&task.id) != Some(&task) {
                        changes.push(Change::from(task));
                    }
                }
            }
        }
        Decision { changes, wake: self.wake }
    }
}
