//! From a service to the container that the engine is asked for.
//!
//! Pure: what has to be looked up (image, other containers, files that hold secrets) is
//! handed in as [`Facts`]. What of a service cannot be honoured is told by [`honour`].

mod config;
mod honour;
mod host;
mod mounts;
mod names;
mod network;
mod step;

use std::collections::BTreeMap;

use coracle_runtime::engine::{CreateRequest, ImageFacts};
use coracle_runtime::model::LogConfig;

pub(crate) use honour::said_of;
pub use honour::{honour, honour_networks};
pub use names::{DependencyLabel, compose_labels, dependency_labels};
pub use step::{step_image, step_request};

use crate::project::{Project, Service};

/// Why no container can be made of a service.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ContainerError {
    #[error("services.{service}.{attribute}: not supported: {why}")]
    Unsupported { service: String, attribute: String, why: &'static str },
    #[error("networks.{network}.{attribute}: not supported: {why}")]
    UnsupportedNetwork { network: String, attribute: String, why: &'static str },
    #[error("services.{service}.{attribute}: {value} is not valid: {why}")]
    Invalid { service: String, attribute: &'static str, value: String, why: &'static str },
    #[error(
        "service {service:?} pre_start[{index}]: per_replica is not yet supported; remove \
         per_replica or set it to false"
    )]
    PerReplica { service: String, index: usize },
    #[error("unsupported external {kind} {name}")]
    External { kind: &'static str, name: String },
    #[error("service {service:?} refers to undefined {kind} {name}: invalid compose project")]
    Undefined { service: String, kind: &'static str, name: String },
    #[error("cannot share {what} with service {name}: container missing")]
    NoPeer { what: &'static str, name: String },
    #[error("healthcheck.start_interval requires healthcheck.start_period to be set")]
    NoStartPeriod,
}

/// What the settings of this machine say where a service says nothing.
#[derive(Clone, Debug, Default)]
pub struct Defaults {
    pub log: LogConfig,
    pub dns: Vec<String>,
    pub dns_options: Vec<String>,
    pub dns_search: Vec<String>,
    pub init: Option<bool>,
    /// Variables (`KEY=VALUE`) that a container has unless its service says otherwise.
    pub environment: Vec<String>,
}

/// What was looked up for one container.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    pub image: ImageFacts,
    pub number: u32,
    /// Volumes of the container whose place this one takes, by path.
    pub inherited: BTreeMap<String, String>,
    /// Containers by service, for namespaces, links and volumes that are shared.
    pub peers: BTreeMap<String, Vec<Peer>>,
    /// Files that hold configs and secrets, by kind and source and use.
    pub files: Vec<Delivered>,
    /// seccomp profiles, by the path the service names.
    pub profiles: BTreeMap<String, String>,
}

/// A container of the project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peer {
    pub id: String,
    pub name: String,
}

impl std::fmt::Display for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}

/// A config or secret that lies in a file to be mounted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    pub path: String,
    pub target: String,
}

/// The container of a service.
///
/// # Errors
/// When the service asks for what cannot be had.
pub fn request(
    project: &Project,
    service: &Service,
    facts: Facts,
    defaults: &Defaults,
) -> Result<CreateRequest, ContainerError> {
    let name = project.container_name(service, facts.number);
    let (mode, networks) = network::networks(project, service, &facts)?;
    let mut config = config::build(project, service, &facts, defaults)?;
    let mut host_config = host::build(project, service, &facts, defaults, mode)?;
    mounts::fill(project, service, &facts, &mut config, &mut host_config)?;
    Ok(CreateRequest {
        name: Some(name),
        image: facts.image,
        config,
        host_config,
        networks,
        inherited: facts.inherited,
        is_task: false,
        is_step: false,
        origin: service.raw.clone(),
        ..CreateRequest::default()
    })
}

#[cfg(test)]
mod tests;
