//! From a task to the container that the engine is asked for.
//!
//! # How it works
//!
//! [`request`] expands the templates of the task's specification ([`templates`]) and puts the parts together as
//! Docker's agent does; [`check`] does the same with a task that does not exist yet, so that what can never become a
//! container is refused when a service is made. [`volumes`] has the names that named volumes of a rehearsal node are
//! stored under.
//!
//! # Not here
//!
//! No I/O: what has to be looked up comes in as [`Facts`]. Content of secrets and configs goes another way: [`payload::files`] makes it, and the
//! engine's `deliver_task` takes it. Reservations are the scheduler's; a task's restart is never the engine's.

mod check;
mod config;
mod error;
pub mod files;
mod host;
pub mod host_check;
mod mounts;
mod network;
pub mod payload;
pub mod templates;
pub mod volumes;

use std::collections::BTreeMap;

use coracle_compose::container::Defaults;
use coracle_runtime::engine::{CreateRequest, ImageFacts};
use serde_json::Value;

pub use check::check;
pub use config::LABEL;
pub use error::ContainerError;
pub(crate) use network::key as port_key;

use crate::model::{Node, Task};

/// What was looked up for the containers of tasks.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// What the settings of this machine say where a service says nothing.
    pub defaults: Defaults,
    /// Names of networks by id. One that is not in it is called by its id, except that the networks `host`, `none`
    /// and `bridge` must be in it.
    pub networks: BTreeMap<String, String>,
    /// Whether there are other nodes on this machine: then host-mode ports of the machine's own node are bound on its
    /// address alone, and not on those of the others.
    pub shared_machine: bool,
    /// A file that holds the name of the node, for a bind of `/etc/hostname` on a rehearsal node.
    pub hostname_file: Option<String>,
}

/// The container of a task on that node.
///
/// # Errors
/// When a template cannot be expanded, or something is asked for that cannot be had.
pub fn request(
    task: &Task,
    node: &Node,
    image: ImageFacts,
    facts: &Facts,
) -> Result<CreateRequest, ContainerError> {
    let spec = templates::expanded(task, node)?;
    mounts::check(&spec.mounts)?;
    let (mode, networks) = network::networks(task, facts);
    let mut host_config = host::build(task, node, &spec, facts)?;
    host_config.network_mode = mode;
    host_config.mounts = mounts::build(&spec, node, facts);
    Ok(CreateRequest {
        name: Some(task.name()),
        image,
        config: config::build(task, &spec, facts),
        host_config,
        networks,
        origin: Value::Null,
        delivered: files::delivered(&spec)?,
        ..CreateRequest::default()
    })
}

#[cfg(test)]
mod tests;
