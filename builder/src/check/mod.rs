//! Build checks: a Dockerfile is gone through as a build would, and nothing is built.
//!
//! # How it works
//!
//! [`check`] reads the file, works out the values of variables stage by stage, and collects findings
//! ([`rules`] has BuildKit's). It ends at the first fault, at which a build would end too; what was
//! found until then stays. Without a target every stage is looked at, not only those that the
//! last one needs.
//!
//! # Limits
//!
//! What an image says about itself comes from [`Bases`]. One that is not at hand may set any variable,
//! so nothing is called undefined in stages that begin with it.

mod casing;
mod findings;
mod options;
mod rules;
pub(crate) mod secret_names;

use std::collections::BTreeMap;

use coracle_image::Platform;

pub use findings::{Finding, Findings};
pub use options::Options;
pub use rules::Rule;

use crate::dockerfile::{directive, parse};
use crate::ignore::Ignore;
use crate::instruction::stages;
use crate::limits::{DOCKERFILE_BYTES_MAX, STAGES_MAX};
use crate::source::{Fault, Span};
use crate::walk::walk;
pub use crate::walk::{Base, BaseImage, Bases};

/// What a check is asked to take for given.
#[derive(Debug, Default)]
pub struct Request {
    /// The stage to build; every one without.
    pub target: Option<String>,
    /// Without a target, the last stage is meant, as in a build.
    pub only_needed: bool,
    /// `--build-arg`.
    pub build_args: BTreeMap<String, String>,
    /// Instead of `# check=`.
    pub options: Option<Options>,
    /// `--platform`; that of this machine without.
    pub platform: Option<Platform>,
    /// `.dockerignore` of the context.
    pub ignore: Option<Ignore>,
    /// Names of further contexts (`--build-context`), which take the place of stages and images.
    pub contexts: Vec<String>,
}

/// What a check found.
#[derive(Debug, Default)]
pub struct Checked {
    /// In the order of their lines.
    pub findings: Vec<Finding>,
    /// Why a build would end.
    pub fault: Option<Fault>,
}

/// Checks the text of a Dockerfile.
pub fn check(text: &str, request: &Request, bases: &dyn Bases) -> Checked {
    let mut findings = Findings::default();
    let result = run(text, request, bases, &mut findings);
    Checked { findings: findings.in_order(), fault: result.err() }
}

fn run(
    text: &str,
    request: &Request,
    bases: &dyn Bases,
    findings: &mut Findings,
) -> Result<(), Fault> {
    if text.is_empty() {
        return Err(Fault::new("the Dockerfile cannot be empty"));
    }
    if text.len() > DOCKERFILE_BYTES_MAX {
        return Err(Fault::new(format!(
            "the Dockerfile is larger than {DOCKERFILE_BYTES_MAX} bytes"
        )));
    }
    let options = match &request.options {
        Some(options) => options.clone(),
        None => Options::parse(&directive::check(text).unwrap_or_default())
            .map_err(|why| Fault::new(format!("failed to parse check options: {why}")))?,
    };
    findings.with(options);
    let document = parse(text)?;
    for span in &document.empty_continuations {
        findings.add(Rule::NoEmptyContinuation, &[*span]);
    }
    let read = stages(&document, findings)?;
    if read.stages.is_empty() {
        return Err(Fault::new("dockerfile contains no stages to build"));
    }
    if read.stages.len() > STAGES_MAX {
        return Err(Fault::new(format!("the Dockerfile has more than {STAGES_MAX} stages")));
    }
    duplicate_names(&read.stages, findings);
    casing::check(&read.stages, findings);
    walk(&document, read, request, bases, findings)?;
    findings.as_fault()
}

fn duplicate_names(stages: &[crate::instruction::Stage], findings: &mut Findings) {
    let mut seen: Vec<&str> = Vec::new();
    for stage in stages {
        let Some(name) = stage.name.as_deref() else { continue };
        let here: &[Span] = &[stage.span];
        if matches!(name, "context" | "scratch") {
            findings.add(Rule::ReservedStageName { name }, here);
        }
        if seen.contains(&name) {
            findings.add(Rule::DuplicateStageName { name }, here);
        }
        seen.push(name);
    }
}

#[cfg(test)]
mod tests;
