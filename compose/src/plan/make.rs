//! A plan is made: wanted and seen are compared, object by object.

use std::collections::{BTreeMap, BTreeSet};

use super::{Action, Desired, Observed, Options, Plan, PlanError, Step};
use crate::project::{Service, graph};

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
        waves: waves.clone(),
        plan: Plan::new(&desired.project.name),
        fresh: BTreeSet::new(),
        renamed: BTreeMap::new(),
        stopped: BTreeMap::new(),
        paused: BTreeSet::new(),
        restarted: BTreeSet::new(),
    };
    work.check_dependencies()?;
    work.images();
    // They may be on a network that is made anew.
    work.orphans();
    work.networks()?;
    work.volumes()?;
    for service in waves.iter().flatten() {
        work.service(service)?;
    }
    Ok(work.plan)
}

/// A plan in the making.
pub(super) struct Work<'a> {
    pub(super) desired: &'a Desired<'a>,
    pub(super) observed: &'a Observed,
    pub(super) options: &'a Options,
    pub(super) plan: Plan,
    /// Services in the order of their dependencies.
    pub(super) waves: Vec<Vec<String>>,
    /// Volumes, by name, that are made anew.
    pub(super) fresh: BTreeSet<String>,
    /// Networks that get another name: the new one, and the one they had.
    pub(super) renamed: BTreeMap<String, String>,
    /// Containers, by id, that are stopped and started again because of a network, and why.
    pub(super) stopped: BTreeMap<String, String>,
    /// Services with a container that is stopped and started again.
    pub(super) paused: BTreeSet<String>,
    /// Services with a container that is made anew.
    pub(super) restarted: BTreeSet<String>,
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

    pub(super) fn replicas(&self, service: &Service) -> u32 {
        self.options.scale.get(&service.name).copied().unwrap_or_else(|| service.replicas())
    }
}
