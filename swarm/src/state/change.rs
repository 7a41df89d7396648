//! One change of one object.

use coracle_words::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{Cluster, Config, Meta, Node, Secret, Service, Task};

/// An object, whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Object {
    Cluster(Box<Cluster>),
    Node(Box<Node>),
    Service(Box<Service>),
    Task(Box<Task>),
    Secret(Box<Secret>),
    Config(Box<Config>),
}

/// What a transaction is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Change {
    Put(Object),
    /// A machine that is in no swarm.
    PutMachine(Box<Node>),
    RemoveNode(String),
    RemoveMachine(String),
    RemoveService(String),
    RemoveTask(String),
    RemoveSecret(String),
    RemoveConfig(String),
}

impl Object {
    /// Marks it as changed by that transaction.
    pub(super) fn stamp(&mut self, index: u64, now: Timestamp) {
        let meta: &mut Meta = match self {
            Self::Cluster(cluster) => &mut cluster.meta,
            Self::Node(node) => &mut node.meta,
            Self::Service(service) => &mut service.meta,
            Self::Task(task) => &mut task.meta,
            Self::Secret(secret) => &mut secret.meta,
            Self::Config(config) => &mut config.meta,
        };
        stamp(meta, index, now);
    }
}

pub(super) fn stamp(meta: &mut Meta, index: u64, now: Timestamp) {
    meta.version.index = index;
    meta.updated_at = now;
    if meta.created_at.is_zero() {
        meta.created_at = now;
    }
}

impl From<Task> for Change {
    fn from(task: Task) -> Self {
        Self::Put(Object::Task(Box::new(task)))
    }
}

impl From<Service> for Change {
    fn from(service: Service) -> Self {
        Self::Put(Object::Service(Box::new(service)))
    }
}

impl From<Node> for Change {
    fn from(node: Node) -> Self {
        Self::Put(Object::Node(Box::new(node)))
    }
}

impl From<Cluster> for Change {
    fn from(cluster: Cluster) -> Self {
        Self::Put(Object::Cluster(Box::new(cluster)))
    }
}
