//! What commands say to the agent, the one writer of a swarm's state.
//!
//! # How it works
//!
//! One stream connection (unix(7)), one request and one answer: a line of JSON each. The answer comes when what was
//! asked is on disk; what follows from it (tasks that start) is to be read from the state ([`crate::journal`]).
//! Content of secrets travels in base64 and is wiped by both sides.
//!
//! # Limits
//!
//! A request has at most [`REQUEST_BYTES_MAX`] bytes.

use coracle_words::ErrorKind;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::model::node::NodeDescription;
use crate::model::{Availability, ClusterSpec, NodeSpec, SecretSpec, ServiceSpec};

/// A config of 1000 kB in base64, and what is around it.
pub const REQUEST_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The answer to [`Request::Holds`].
pub const YES: &str = "yes";

/// What is asked for. Objects are named by their ids: whoever asks has looked at the state.
#[derive(Debug, Serialize, Deserialize)]
pub enum Request {
    /// Nothing; an agent that is needed is there afterwards.
    Wake,
    Init(Box<Init>),
    /// Takes this machine out: the swarm ends, with all there is in it.
    Leave {
        force: bool,
    },
    UpdateCluster {
        version: u64,
        spec: Box<ClusterSpec>,
        rotate: Rotate,
    },
    Unlock {
        key: Zeroizing<String>,
    },
    /// Answered by [`Answer::Text`]: the unlock key, empty when there is none.
    UnlockKey {
        rotate: bool,
    },
    CreateService {
        spec: Box<ServiceSpec>,
    },
    UpdateService {
        id: String,
        version: u64,
        spec: Box<ServiceSpec>,
        /// Back to the previous spec; `spec` is not looked at.
        rollback: bool,
    },
    RemoveService {
        id: String,
    },
    CreateSecret {
        spec: SecretSpec,
        data: Zeroizing<String>,
    },
    UpdateSecret {
        id: String,
        version: u64,
        spec: SecretSpec,
        /// What it must hold already: content is not changed.
        data: Option<Zeroizing<String>>,
    },
    RemoveSecret {
        id: String,
    },
    CreateConfig {
        spec: SecretSpec,
        data: Zeroizing<String>,
    },
    UpdateConfig {
        id: String,
        version: u64,
        spec: SecretSpec,
        /// What it must hold already: content is not changed.
        data: Option<Zeroizing<String>>,
    },
    RemoveConfig {
        id: String,
    },
    /// Answered by [`Answer::Text`]: the content in base64.
    ConfigData {
        id: String,
    },
    /// Answered by [`Answer::Text`]: [`YES`] when a secret, or else a config, holds this content.
    Holds {
        is_secret: bool,
        id: String,
        data: Zeroizing<String>,
    },
    UpdateNode {
        id: String,
        version: u64,
        spec: NodeSpec,
    },
    RemoveNode {
        id: String,
        force: bool,
    },
    /// A rehearsal node of this name.
    AddNode {
        name: String,
        spec: NodeSpec,
    },
    /// A rehearsal node leaves the swarm by itself.
    NodeLeaves {
        id: String,
        force: bool,
    },
    NodePower {
        id: String,
        power: Power,
    },
    /// A machine outside of any swarm.
    CreateMachine {
        name: String,
        description: NodeDescription,
    },
    /// With its containers and volumes.
    RemoveMachine {
        name: String,
    },
}

/// A new swarm.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Init {
    pub spec: ClusterSpec,
    /// Without a port.
    pub advertise_addr: String,
    pub default_addr_pool: Option<Vec<String>>,
    pub subnet_size: u32,
    pub data_path_port: u32,
    pub availability: Availability,
    pub force_new_cluster: bool,
    /// This machine's host name, labels of its engine and so on.
    pub node: NodeDescription,
    /// The machine it begins on, where that is not this one itself.
    pub machine: Option<String>,
    /// Rehearsal nodes made at once, besides this one.
    pub managers: Vec<String>,
    pub workers: Vec<String>,
}

/// Which tokens are made anew.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Rotate {
    pub worker_token: bool,
    pub manager_token: bool,
    pub unlock_key: bool,
}

/// What is done to a rehearsal node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Power {
    /// Its containers are stopped as at a shutdown.
    Stop,
    /// They are killed, as when a machine is lost.
    Kill,
    Start,
}

/// The agent's word.
#[derive(Debug, Serialize, Deserialize)]
pub enum Answer {
    /// It is on disk.
    Done {
        /// Of what was made.
        id: String,
        /// To be told, not an error.
        warnings: Vec<String>,
    },
    Text {
        text: Zeroizing<String>,
    },
    Refused {
        kind: Kind,
        words: String,
    },
}

/// [`ErrorKind`] on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    BadRequest,
    NotFound,
    Conflict,
    InUse,
    Forbidden,
    Unavailable,
    Unsupported,
    Internal,
}

impl From<ErrorKind> for Kind {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::BadRequest => Self::BadRequest,
            ErrorKind::NotFound => Self::NotFound,
            ErrorKind::Conflict | ErrorKind::NotModified => Self::Conflict,
            ErrorKind::InUse => Self::InUse,
            ErrorKind::Forbidden => Self::Forbidden,
            ErrorKind::Unavailable => Self::Unavailable,
            ErrorKind::Unsupported => Self::Unsupported,
            _ => Self::Internal,
        }
    }
}

impl From<Kind> for ErrorKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::BadRequest => Self::BadRequest,
            Kind::NotFound => Self::NotFound,
            Kind::Conflict => Self::Conflict,
            Kind::InUse => Self::InUse,
            Kind::Forbidden => Self::Forbidden,
            Kind::Unavailable => Self::Unavailable,
            Kind::Unsupported => Self::Unsupported,
            Kind::Internal => Self::Internal,
        }
    }
}
