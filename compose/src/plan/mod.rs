//! What has to be done, and why: wanted and seen are compared, nothing is touched.
//!
//! [`plan`] is pure. Its steps are in the order in which they are carried out: what is
//! missing is fetched and made, what has changed is made anew, then containers start; the
//! order of the starts is that of `depends_on` and is kept by whoever applies the plan.

mod containers;
mod difference;
mod objects;
mod observed;
mod step;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

pub use difference::{changes, differences};
pub use observed::{Observed, Seen, SeenNetwork, SeenVolume};
pub use step::{Action, PLAN_VERSION, Plan, Step};

use crate::project::{Project, ProjectError, graph};

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
        "network {name} was found but has incorrect label com.docker.compose.network set to \
         {found:?} (expected: {expected:?})"
    )]
    ForeignNetwork { name: String, found: String, expected: String },
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
    #[error("service {service:?} depends on undefined service {name:?}: invalid compose project")]
    NoDependency { service: String, name: String },
}

/// What is wanted.
#[derive(Clone, Debug)]
pub struct Desired<'a> {
    pub project: &'a Project,
    /// The id of each service's image; a service without one has to have it fetched.
    pub images: &'a BTreeMap<String, String>,
    /// The ids of images that services mount, by the names that their volumes have for them.
    pub mounted: &'a BTreeMap<String, String>,
    /// All services of the file, also those that are not part of this.
    pub known: &'a BTreeSet<String>,
}

/// When a container is made anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Recreate {
    #[default]
    Changed,
    Never,
    Always,
}

/// How the user wants it.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub recreate: Recreate,
    /// The same for services that are only depended on.
    pub recreate_dependencies: Recreate,
    /// The services that were named; none means all.
    pub targets: Vec<String>,
    pub scale: BTreeMap<String, u32>,
    pub remove_orphans: bool,
    /// Containers are started, not only made.
    pub start: bool,
    /// Anonymous volumes are made anew.
    pub renew_volumes: bool,
    /// Volumes whose configuration changed are made anew, and lose what is in them.
    pub replace_volumes: bool,
}

impl Options {
    fn is_target(&self, service: &str) -> bool {
        self.targets.is_empty() || self.targets.iter().any(|name| name == service)
    }

    fn recreate_of(&self, service: &str) -> Recreate {
        if self.is_target(service) { self.recreate } else { self.recreate_dependencies }
    }
}

/// Compares what is wanted with what is there.
///
/// # Errors
/// When something external is missing, or what is wanted contradicts itself.
pub fn plan(
    desired: &Desired<'_>,
    observed: &Observed,
    options: &Options,
) -> Result<Plan, PlanError> {
    let waves = graph::waves(desired.project)?;
    let mut work = Work {
        desired,
        observed,
        options,
        plan: Plan::new(&desired.project.name),
        fresh: BTreeSet::new(),
        restarted: BTreeSet::new(),
    };
    work.check_dependencies()?;
    work.images();
    work.networks()?;
    work.volumes()?;
    work.orphans();
    for service in waves.iter().flatten() {
        work.service(service)?;
    }
    Ok(work.plan)
}

/// A plan in the making.
struct Work<'a> {
    desired: &'a Desired<'a>,
    observed: &'a Observed,
    options: &'a Options,
    plan: Plan,
    /// Networks and volumes, by name, that are made anew.
    fresh: BTreeSet<String>,
    /// Services with a container that is made anew.
    restarted: BTreeSet<String>,
}

impl Work<'_> {
    fn check_dependencies(&self) -> Result<(), PlanError> {
        let project = self.desired.project;
        for (name, service) in &project.services {
            for (on, dependency) in &service.depends_on {
                let there = project.services.contains_key(on);
                if !there && dependency.required && !self.desired.known.contains(on) {
                    return Err(PlanError::NoDependency {
                        service: name.clone(),
                        name: on.clone(),
                    });
                }
            }
        }
        Ok(())
    }

    fn images(&mut self) {
        for (name, service) in &self.desired.project.services {
            if self.replicas(service) > 0 && !self.desired.images.contains_key(name) {
                let image = self.desired.project.image_name(service);
                let reason = "the image is not here".to_owned();
                let step = Step::new(Action::Pull, &image).service(name).because(reason);
                self.plan.steps.push(step);
            }
        }
    }

    fn replicas(&self, service: &crate::project::Service) -> u32 {
        self.options.scale.get(&service.name).copied().unwrap_or_else(|| service.replicas())
    }
}
