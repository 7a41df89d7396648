//! `buildx bake`: the targets of a file, built in one call.

mod args;
mod files;
mod listed;
mod requests;
mod rights;
mod run;

pub(crate) use args::BakeArgs;
pub(crate) use listed::pretty;
pub(crate) use requests::requests;
pub(crate) use run::check_all;
