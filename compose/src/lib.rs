//! Compose: from files to a checked project, and from a project to running containers.

mod error;
mod files;
pub mod limits;
mod load;
mod options;

pub use error::LoadError;
pub use files::{FileKind, Files};
pub use load::load;
pub use options::{LoadOptions, Loaded, Stages};
