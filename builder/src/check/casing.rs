//! Names of instructions are written in one way throughout a file.

use super::{Findings, Rule};
use crate::instruction::Stage;
use crate::source::Span;

pub(crate) fn check(stages: &[Stage], findings: &mut Findings) {
    let names: Vec<(&str, Span)> = stages
        .iter()
        .flat_map(|stage| {
            let inside = stage.instructions.iter().map(|it| (it.name.as_str(), it.span));
            std::iter::once((stage.word.as_str(), stage.span)).chain(inside)
        })
        .collect();
    let lower = names.iter().filter(|(name, _)| is_lower(name)).count();
    let upper = names.iter().filter(|(name, _)| is_upper(name)).count();
    let (fits, casing): (fn(&str) -> bool, _) =
        if lower > upper { (is_lower, "lowercase") } else { (is_upper, "uppercase") };
    for (name, span) in names {
        if !fits(name) {
            findings.add(Rule::ConsistentInstructionCasing { name, casing }, &[span]);
        }
    }
}

fn is_lower(name: &str) -> bool {
    name == name.to_lowercase()
}

fn is_upper(name: &str) -> bool {
    name == name.to_uppercase()
}
