//! From the files of a project to one tree: each file through the stages, on top of those
//! before it, with what it extends and includes.

mod env_file;
mod extends;
mod include;
mod project;
mod read;
mod services;
mod sources;

pub(crate) use env_file::read_raw as read_raw_variables;
pub(crate) use project::Project;
pub(crate) use read::{Reader, parent};
pub(crate) use services::{resolve_environment, resolve_labels};
pub(crate) use sources::Sources;
