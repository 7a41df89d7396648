//! What services are built of: `build` sections to targets as bake files have them.
//!
//! # How it works
//!
//! [`definition`] is pure. Every service with a `build` section that is chosen, or that a chosen one takes as
//! `service:NAME`, becomes a target; all go to the builder in one call, so that what they share is built once.
//! [`Printed`] is the same as `compose build --print` writes it.

mod attributes;
mod of_bake;
mod printed;
mod target;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use coracle_builder::bake::{Group, Selected};
use serde::Deserialize as _;

use crate::project::{Project, Service};
use attributes::Attributes;
pub use of_bake::of_bake;
pub use printed::Printed;

/// What the command line adds.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// `NAME=VALUE`, or `NAME` for the value of the project's environment.
    pub args: Vec<String>,
    pub no_cache: bool,
    pub pull: bool,
    pub push: bool,
    pub check: bool,
    /// `default`, or `ID=PATH`.
    pub ssh: Option<String>,
    /// Images are for this machine: of several platforms, that of the service counts.
    pub one_platform: bool,
    /// Variables of the project.
    pub environment: BTreeMap<String, String>,
}

/// Why a service cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildFault {
    #[error("services.{service}.build: {source}")]
    Shape { service: String, source: serde_json::Error },
    #[error("services.{service}.build.{attribute}: {why}")]
    Attribute { service: String, attribute: &'static str, why: String },
    /// Docker has it.
    #[error("services.{service}.build.{attribute}: not supported: {why}")]
    Unsupported { service: String, attribute: &'static str, why: &'static str },
}

/// The targets, and which service each is of.
#[derive(Clone, Debug, Default)]
pub struct Definition {
    pub selected: Selected,
    /// Names of targets by services, those that were chosen.
    pub services: BTreeMap<String, String>,
    /// What their images are called.
    pub images: BTreeMap<String, String>,
}

/// What is built for these services; those without a `build` section are passed over.
///
/// # Errors
/// When a section says what has no meaning here.
pub fn definition(
    project: &Project,
    chosen: &[String],
    wish: &Wish,
) -> Result<Definition, BuildFault> {
    let names = target_names(project);
    let mut definition = Definition::default();
    let mut waiting: Vec<&str> = chosen.iter().map(String::as_str).collect();
    let mut next = 0;
    while let Some(name) = waiting.get(next).copied() {
        next += 1;
        let Some(service) = project.services.get(name) else { continue };
        let Some(attributes) = read(service)? else { continue };
        let target_name = &names[name];
        if definition.selected.targets.contains_key(target_name) {
            continue;
        }
        let mut target = target::target(project, service, &attributes, wish)?;
        target_name.clone_into(&mut target.name);
        for context in target.contexts.values_mut() {
            let Some(other) = context.strip_prefix("service:").map(str::to_owned) else { continue };
            let Some((other, _)) =
                project.services.get_key_value(&other).filter(|(_, s)| s.build.is_some())
            else {
                let why = format!("service {other:?} is not built in this project");
                return Err(fault(service, "additional_contexts", why));
            };
            *context = format!("target:{}", names[other.as_str()]);
            waiting.push(other);
        }
        definition.services.insert(name.to_owned(), target_name.clone());
        definition.images.insert(name.to_owned(), project.image_name(service));
        definition.selected.targets.insert(target_name.clone(), target);
    }
    let targets = definition.services.values().cloned().collect();
    let group = Group { name: "default".to_owned(), targets, ..Group::default() };
    definition.selected.groups.insert("default".to_owned(), group);
    circle(&definition.selected, project)?;
    Ok(definition)
}

/// Services that take each other as contexts have no beginning.
fn circle(selected: &Selected, project: &Project) -> Result<(), BuildFault> {
    let mut left: BTreeMap<&str, Vec<&str>> = selected
        .targets
        .iter()
        .map(|(name, target)| {
            let on = target.contexts.values().filter_map(|context| context.strip_prefix("target:"));
            (name.as_str(), on.collect())
        })
        .collect();
    while let Some(free) = left.iter().find(|(_, on)| on.is_empty()).map(|(name, _)| *name) {
        left.remove(free);
        left.values_mut().for_each(|on| on.retain(|name| *name != free));
    }
    match left.keys().next() {
        None => Ok(()),
        Some(name) => {
            let service =
                project.services.values().find(|service| service.name.replace('.', "_") == **name);
            let why = "services take each other as contexts in a circle".to_owned();
            Err(BuildFault::Attribute {
                service: service.map_or_else(|| (*name).to_owned(), |service| service.name.clone()),
                attribute: "additional_contexts",
                why,
            })
        }
    }
}

fn fault(service: &Service, attribute: &'static str, why: String) -> BuildFault {
    BuildFault::Attribute { service: service.name.clone(), attribute, why }
}

fn read(service: &Service) -> Result<Option<Attributes>, BuildFault> {
    let Some(build) = &service.build else { return Ok(None) };
    let wrong = |source| BuildFault::Shape { service: service.name.clone(), source };
    Attributes::deserialize(build).map(Some).map_err(wrong)
}

/// Dots have another meaning in targets; two services may come to the same.
fn target_names(project: &Project) -> BTreeMap<&str, String> {
    let mut names: BTreeMap<&str, String> = BTreeMap::new();
    for service in project.services.keys() {
        let mut name = service.replace('.', "_");
        while names.values().any(|other| *other == name) {
            name.push('_');
        }
        names.insert(service, name);
    }
    names
}
