//! Contexts: what the argument of `build` and `--build-context` name.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use coracle_builder::flags::contexts::{self, Place};
use coracle_builder::request::Context;

use super::args::failed;
use super::dockerfile;
use super::wanted::{absolute, bad_early};
use crate::error::CliError;
use crate::files::reason;

/// What `--build-context` names.
pub(super) fn named(given: &[String]) -> Result<BTreeMap<String, Context>, CliError> {
    let mut found = BTreeMap::new();
    for text in given {
        let (name, place) = contexts::named(text).map_err(bad_early)?;
        let context = further(&name, place)?;
        found.insert(name, context);
    }
    Ok(found)
}

/// The ignore files of those that are folders: as in Docker, only `.dockerignore` counts there.
pub(super) fn ignores(contexts: &BTreeMap<String, Context>) -> BTreeMap<String, String> {
    let text = |(name, context): (&String, &Context)| match context {
        Context::Folder(folder) => Some((name.clone(), dockerfile::ignore_of(folder)?)),
        _ => None,
    };
    contexts.iter().filter_map(text).collect()
}

/// A further context: a folder must be there.
pub(crate) fn further(name: &str, place: Place) -> Result<Context, CliError> {
    Ok(match place {
        Place::Image(image) => Context::Image(image),
        Place::Git(address) => Context::Git(address),
        Place::Http(address) => Context::Http(address),
        Place::Target(target) => {
            let what = format!("--build-context {name}=target:{target}");
            return Err(CliError::unsupported(&what, "targets are those of a bake file"));
        }
        Place::Folder(path) => {
            let meta = fs::metadata(&path).map_err(|error| {
                let why = reason(&error);
                failed(&format!("failed to get build context {name}: stat {path}: {why}"))
            })?;
            if !meta.is_dir() {
                let words = format!("failed to get build context path {path}: not a directory");
                return Err(failed(&words));
            }
            Context::Folder(absolute(Path::new(&path))?)
        }
    })
}
