//! All objects of a swarm, and transactions over them. Pure.
//!
//! A [`Change`] puts an object in whole or takes it away. [`State::apply`] gives each object that is put the number
//! and the moment of the transaction. Nobody else writes to the maps of a state that is in use.

mod change;

use std::collections::BTreeMap;

use coracle_words::Timestamp;

use change::stamp;
pub use change::{Change, Object};

use crate::model::{Cluster, Config, Node, Secret, Service, Task};

/// A swarm.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// Number of the last transaction.
    pub index: u64,
    pub cluster: Cluster,
    pub nodes: BTreeMap<String, Node>,
    /// What is in no swarm: as a node that has left, and not among the nodes.
    pub machines: BTreeMap<String, Node>,
    pub services: BTreeMap<String, Service>,
    pub tasks: BTreeMap<String, Task>,
    pub secrets: BTreeMap<String, Secret>,
    pub configs: BTreeMap<String, Config>,
}

impl State {
    /// Carries a transaction out: each object gets its number and moment. Gives the changes as they went in.
    pub fn apply(&mut self, changes: Vec<Change>, now: Timestamp) -> Vec<Change> {
        let changes = self.stamped(changes, now);
        self.index += 1;
        changes.iter().cloned().for_each(|change| self.replay(change));
        changes
    }

    /// The next transaction, as it is to be written down.
    pub(crate) fn stamped(&self, mut changes: Vec<Change>, now: Timestamp) -> Vec<Change> {
        for change in &mut changes {
            match change {
                Change::Put(object) => object.stamp(self.index + 1, now),
                Change::PutMachine(machine) => stamp(&mut machine.meta, self.index + 1, now),
                _ => {}
            }
        }
        changes
    }

    /// Takes a change that has its number already.
    pub fn replay(&mut self, change: Change) {
        match change {
            Change::Put(Object::Cluster(cluster)) => self.cluster = *cluster,
            Change::Put(Object::Node(node)) => drop(self.nodes.insert(node.id.clone(), *node)),
            Change::Put(Object::Service(service)) => {
                drop(self.services.insert(service.id.clone(), *service));
            }
            Change::Put(Object::Task(task)) => drop(self.tasks.insert(task.id.clone(), *task)),
            Change::Put(Object::Secret(secret)) => {
                drop(self.secrets.insert(secret.id.clone(), *secret));
            }
            Change::Put(Object::Config(config)) => {
                drop(self.configs.insert(config.id.clone(), *config));
            }
            Change::PutMachine(node) => drop(self.machines.insert(node.id.clone(), *node)),
            Change::RemoveNode(id) => drop(self.nodes.remove(&id)),
            Change::RemoveMachine(id) => drop(self.machines.remove(&id)),
            Change::RemoveService(id) => drop(self.services.remove(&id)),
            Change::RemoveTask(id) => drop(self.tasks.remove(&id)),
            Change::RemoveSecret(id) => drop(self.secrets.remove(&id)),
            Change::RemoveConfig(id) => drop(self.configs.remove(&id)),
        }
    }

    /// The node of that name in the swarm, on one of the machines here.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Node> {
        self.nodes.values().find(|node| !node.own.left && node.description.hostname == name)
    }

    /// Whether a machine is in no swarm now.
    #[must_use]
    pub fn is_outside(&self, machine: &Node) -> bool {
        let is_it = |node: &Node| node.own.number == machine.own.number && !node.own.left;
        !self.nodes.values().any(is_it)
    }

    /// The ids that a machine has and had, as a node and outside of the swarm.
    #[must_use]
    pub fn ids_of(&self, number: u8) -> Vec<String> {
        let all = self.nodes.values().chain(self.machines.values());
        all.filter(|node| node.own.number == number).map(|node| node.id.clone()).collect()
    }

    /// The tasks of a service.
    pub fn tasks_of<'a>(&'a self, service: &'a str) -> impl Iterator<Item = &'a Task> {
        self.tasks.values().filter(move |task| task.service_id == service)
    }
}
