//! Build checks: a Dockerfile is gone through as a build would, and nothing is built.
//!
//! # How it works
//!
//! [`check`] is the walk that makes a plan ([`crate::plan`]), for what it finds on the way ([`rules`] has BuildKit's).
//! It ends at the first fault, at which a build would end too; what was found until then stays. Without a target
//! every stage is looked at, not only those that the last one needs.
//!
//! # Limits
//!
//! What an image says about itself comes from [`Images`]. One that is not at hand may set any variable,
//! so nothing is called undefined in stages that begin with it.

pub(crate) mod casing;
mod findings;
mod options;
mod rules;
pub(crate) mod secret_names;

pub use findings::{Finding, Findings};
pub use options::Options;
pub use rules::Rule;

use crate::source::{Fault, Span};
pub use crate::walk::Request;
use crate::walk::{Images, Purpose, read};

/// What a check found.
#[derive(Debug, Default)]
pub struct Checked {
    /// In the order of their lines.
    pub findings: Vec<Finding>,
    /// Why a build would end.
    pub fault: Option<Fault>,
}

/// Checks the text of a Dockerfile.
pub fn check(text: &str, request: &Request, images: &mut dyn Images) -> Checked {
    let mut findings = Findings::default();
    let result = read(text, request, Purpose::Check, images, &mut findings);
    Checked {
        findings: findings.in_order(),
        fault: result.err().map(crate::walk::NoPlan::into_fault),
    }
}

pub(crate) fn duplicate_names(stages: &[crate::instruction::Stage], findings: &mut Findings) {
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
