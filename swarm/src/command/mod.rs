//! What users ask for, as changes of the state: services, nodes, secrets, configs, the swarm itself.
//!
//! # How it works
//!
//! Each function looks at the state and gives the changes, or refuses in Docker's words. It is pure: ids, moments,
//! tokens and sealed content are arguments. The changes are one transaction, the next one of that state:
//! a service remembers its number as the version of its spec.
//!
//! # Not here
//!
//! Names are looked up before: objects are asked for by their ids. A client that reads a flag refuses what only it knows.

mod cluster;
mod endpoint;
mod node;
mod secret;
mod service;
mod spec;

use coracle_words::ErrorKind;

pub use cluster::{leave_refusal, update_cluster};
pub use node::{remove_node, update_node};
pub use secret::{
    create_config, create_secret, remove_config, remove_secret, update_config, update_secret,
};
pub use service::{Rollback, check_service, create_service, remove_service, update_service};

use crate::SwarmError;

/// On a machine that is in no swarm.
pub const NOT_A_MANAGER: &str = "This node is not a swarm manager. Use \"docker swarm init\" or \
    \"docker swarm join\" to connect this node to swarm and try again.";
/// On a machine that is in one.
pub const IN_A_SWARM: &str = "This node is already part of a swarm. Use \"docker swarm leave\" to leave this swarm and \
    join another one.";
/// On a worker.
pub const A_WORKER: &str = "This node is not a swarm manager. Worker nodes can't be used to view or \
    modify cluster state. Please run this command on a manager node or promote the current node \
    to a manager.";
/// While the unlock key is missing.
pub const LOCKED: &str = "Swarm is encrypted and needs to be unlocked before it can be used. Please \
    use \"docker swarm unlock\" to unlock it.";
/// With half of the managers gone.
pub const NO_LEADER: &str = "rpc error: code = Unknown desc = The swarm does not have a leader. It's \
    possible that too few managers are online. Make sure more than half of the managers are online.";

/// Why something is not done, in words for the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{words}")]
pub struct CommandError {
    pub kind: ErrorKind,
    pub words: String,
}

impl From<CommandError> for SwarmError {
    fn from(error: CommandError) -> Self {
        Self::refused(error.kind, error.words)
    }
}

/// The answers of a manager in Docker, which says them with a code of gRPC.
#[derive(Debug, Clone, Copy)]
enum Code {
    AlreadyExists,
    FailedPrecondition,
    InvalidArgument,
    Unimplemented,
    Unknown,
}

impl CommandError {
    fn rpc(code: Code, words: impl AsRef<str>) -> Self {
        let kind = match code {
            Code::AlreadyExists => ErrorKind::Conflict,
            Code::FailedPrecondition | Code::InvalidArgument => ErrorKind::BadRequest,
            Code::Unimplemented => ErrorKind::Unsupported,
            Code::Unknown => ErrorKind::Internal,
        };
        Self { kind, words: format!("rpc error: code = {code:?} desc = {}", words.as_ref()) }
    }

    fn invalid(words: impl AsRef<str>) -> Self {
        Self::rpc(Code::InvalidArgument, words)
    }

    fn not_found(what: &str, id: &str) -> Self {
        Self { kind: ErrorKind::NotFound, words: format!("{what} {id} not found") }
    }

    /// Somebody else was faster.
    fn out_of_sequence() -> Self {
        Self::rpc(Code::Unknown, "update out of sequence")
    }
}

#[cfg(test)]
mod tests;
