//! Compose: from files to a checked project, and from a project to running containers.
//!
//! [`load`] reads, merges and checks the files. `project` is what comes out, in types;
//! `container` says what the engine makes of a service; `plan` compares what is wanted with
//! what is there, without doing anything; `build` says what images are built of; `apply` looks at the engine and carries a plan out.

pub mod apply;
pub mod build;
pub mod container;
mod error;
mod files;
pub mod hash;
pub mod limits;
mod load;
mod model;
mod options;
mod output;
pub mod plan;
pub mod project;
pub mod reference;
mod schema;
mod stack;
mod stages;
mod text;
mod tree;
pub mod watch;
pub mod why;
mod yaml;

/// The release of Docker Compose that is followed.
pub const FOLLOWED: &str = "5.5.0";

pub use error::LoadError;
pub use files::{FileKind, Files};
pub use load::load;
pub use options::{EnvFiles, LoadOptions, Loaded, Stages};
pub use output::to_yaml;
pub use stack::{StackFile, StackOptions, load_stack};
pub use text::variables::Variable;
pub use text::words::split as split_words;
