//! Variables that stand before the first stage: those that are there by themselves, and `ARG`.

use std::collections::BTreeMap;

use coracle_image::{Platform, Reference};

use super::env::Env;
use super::outline::{Argument, Noted};
use super::request::Request;
use crate::check::{Findings, Rule};
use crate::expand::Expander;
use crate::instruction::Stages;
use crate::source::Fault;

/// What is set without being declared.
pub(super) fn predefined(request: &Request, last_stage: Option<&str>) -> Env {
    let build = Platform::host();
    let target = request.platform.clone().unwrap_or_else(|| build.clone());
    let stage = request.target.as_deref().or(last_stage).unwrap_or("default");
    let mut env = Env::default();
    for (name, value) in [
        ("BUILDPLATFORM", build.to_string()),
        ("BUILDOS", build.os),
        ("BUILDOSVERSION", String::new()),
        ("BUILDARCH", build.architecture),
        ("BUILDVARIANT", build.variant),
        ("TARGETPLATFORM", target.to_string()),
        ("TARGETOS", target.os),
        ("TARGETOSVERSION", String::new()),
        ("TARGETARCH", target.architecture),
        ("TARGETVARIANT", target.variant),
        ("TARGETSTAGE", stage.to_owned()),
    ] {
        env.set(name, request.build_args.get(name).cloned().unwrap_or(value));
    }
    env
}

/// Adds the values of the global `ARG`s: those that are given, else their defaults. What they are comes with them.
pub(super) fn declared(
    mut env: Env,
    read: &Stages,
    given: &BTreeMap<String, String>,
    expander: &Expander,
) -> Result<(Env, BTreeMap<String, Noted>), Fault> {
    let mut noted: BTreeMap<String, Noted> = BTreeMap::new();
    for (args, span) in &read.globals {
        for arg in args {
            let mut needs = Vec::new();
            let value = match (given.get(&arg.name), &arg.default) {
                (Some(given), _) => Some(given.clone()),
                (None, Some(default)) => {
                    let (expanded, result) = expander.text(default, &|name| env.get(name));
                    result.map_err(|why| Fault::new(why).at(*span))?;
                    needs = expanded.set;
                    Some(expanded.text)
                }
                (None, None) => None,
            };
            if needs.contains(&arg.name)
                && let Some(before) = noted.get(&arg.name)
            {
                needs.extend(before.needs.iter().cloned());
            }
            let argument = Argument {
                name: arg.name.clone(),
                value: value.clone().unwrap_or_default(),
                about: arg.about.clone(),
                at: *span,
            };
            noted.insert(arg.name.clone(), Noted { argument, needs });
            if let Some(value) = value {
                env.set(&arg.name, value);
            }
        }
    }
    Ok((env, noted))
}

/// Names of images are right also when nothing is given.
pub(super) fn check_defaults(
    predefined: Env,
    read: &Stages,
    expander: &Expander,
    findings: &mut Findings,
) {
    // What fails here fails again, and is told of, with what is given.
    let Ok((env, _)) = declared(predefined, read, &BTreeMap::new(), expander) else { return };
    for stage in &read.stages {
        let (expanded, result) = expander.text(&stage.base, &|name| env.get(name));
        if result.is_err() {
            return;
        }
        if Reference::parse(&expanded.text).is_err() {
            findings.add(Rule::InvalidDefaultArgInFrom { base: &stage.base }, &[stage.span]);
        }
    }
}
