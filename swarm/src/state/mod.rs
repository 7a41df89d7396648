//! All objects of a swarm, and transactions over them. Pure.
//!
//! A [`Change`] puts an object in whole or takes it away. [`State::apply`] gives each object that is put the number
//! and the moment of the transaction. Nobody else writes to the maps of a state that is in use.

mod change;

use std::collections::BTreeMap;

use coracle_words::Timestamp;

pub use change::{Change, Object};

use crate::model::{Cluster, Config, Node, Secret, Service, Task};

/// A swarm.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// Number of the last transaction.
    pub index: u64,
    pub cluster: Cluster,
    pub nodes: BTreeMap<String, Node>,
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
            if let Change::Put(object) = change {
                object.stamp(self.index + 1, now);
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
            Change::RemoveNode(id) => drop(self.nodes.remove(&id)),
            Change::RemoveService(id) => drop(self.services.remove(&id)),
            Change::RemoveTask(id) => drop(self.tasks.remove(&id)),
            Change::RemoveSecret(id) => drop(self.secrets.remove(&id)),
            Change::RemoveConfig(id) => drop(self.configs.remove(&id)),
        }
    }

    /// The tasks of a service.
    pub fn tasks_of<'a>(&'a self, service: &'a str) -> impl Iterator<Item = &'a Task> {
        self.tasks.values().filter(move |task| task.service_id == service)
    }
}
