//! Bake: files that say what is to be built, in targets and groups.
//!
//! # How it works
//!
//! [`read`] takes the files in their order, HCL and JSON alike, and comes to a [`Config`]: every target as it stands,
//! a matrix laid out. [`Config::select`] follows groups, `inherits` and `target:NAME`, and takes what `--set` says.
//! Compose files make a [`Config`] elsewhere, and are the ground on which these lie.
//!
//! Pure: the environment, the clock and the files' texts are given ([`Facts`], [`File`]).
//!
//! # Not here
//!
//! Files from git or a URL, `policy` and `resources`; of the functions, those of `functions::REFUSED`.
//!
//! Source: the bake file reference (<https://docs.docker.com/build/bake/reference/>).

mod blocks;
mod entry;
mod error;
mod eval;
mod functions;
pub mod limits;
mod operators;
mod overrides;
mod scope;
mod select;
mod syntax;
mod target;
mod template;
#[cfg(test)]
mod tests;
mod types;
mod value;
mod variables;

use std::collections::BTreeMap;

use serde::Serialize;

pub use entry::{Entry, Kind};
pub use error::BakeError;
pub use select::Selected;
pub use target::Target;
pub use variables::Listed;

/// A file that was read.
#[derive(Clone, Debug)]
pub struct File {
    /// As messages call it.
    pub name: String,
    pub text: String,
}

/// What is known around the files.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// `BAKE_LOCAL_PLATFORM` and its kind.
    pub builtin: BTreeMap<String, String>,
    /// `--var`.
    pub given: BTreeMap<String, String>,
    pub environment: BTreeMap<String, String>,
    /// RFC 3339, for `timestamp()`.
    pub now: String,
}

impl Facts {
    /// What overrides a variable.
    fn variable(&self, name: &str) -> Option<&str> {
        self.given.get(name).or_else(|| self.environment.get(name)).map(String::as_str)
    }
}

/// A group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Group {
    #[serde(skip)]
    pub name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    pub targets: Vec<String>,
}

/// What files say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    pub groups: Vec<Group>,
    pub targets: Vec<Target>,
    pub variables: Vec<Listed>,
}

/// Reads files on top of `ground`, which Compose files made.
///
/// # Errors
/// When a file is no bake file, or says what has no meaning or none here.
pub fn read(ground: Config, files: &[File], facts: &Facts) -> Result<Config, BakeError> {
    let bodies: Vec<syntax::Body> =
        files.iter().map(|file| syntax::read(&file.name, &file.text)).collect::<Result<_, _>>()?;
    let definitions = scope::Definitions::read(&bodies, facts)?;
    let evaluator = eval::Evaluator::new(&definitions);
    let mut config = ground;
    config.variables = evaluator.variables()?;
    evaluator.blocks(&mut config)?;
    Ok(config)
}

impl Config {
    fn add_target(&mut self, target: Target) {
        match self.targets.iter_mut().find(|one| one.name == target.name) {
            Some(one) => one.merge(&target),
            None => self.targets.push(target),
        }
    }

    /// One of the same name is replaced: groups do not add up within files.
    fn add_group(&mut self, group: Group) {
        match self.groups.iter_mut().find(|one| one.name == group.name) {
            Some(one) => *one = group,
            None => self.groups.push(group),
        }
    }
}
