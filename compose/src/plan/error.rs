//! Why there is no plan.

use crate::project::ProjectError;

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    #[error(transparent)]
    Project(#[from] ProjectError),
    #[error("network {name} declared as external, but could not be found")]
    NoNetwork { name: String },
    #[error("external volume {name:?} not found")]
    NoVolume { name: String },
    #[error(
        "WARNING: The {service:?} service is using the custom container name {name:?}. Docker \
         requires each container to have a unique name. Remove the custom name to scale the \
         service"
    )]
    NamedAndScaled { service: String, name: String },
    #[error(
        "service {service:?} cannot have its container: the name {name:?} is in use by a \
         container that is not of this project"
    )]
    NameTaken { service: String, name: String },
    #[error("cannot share {what} with service {name}: container missing")]
    NoPeer { what: &'static str, name: String },
    #[error("service {service:?} depends on undefined service {name:?}: invalid compose project")]
    NoDependency { service: String, name: String },
}
