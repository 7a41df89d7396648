//! Compose: from files to a checked project, and from a project to running containers.

mod error;
mod text;
mod tree;
mod yaml;
mod files;
pub mod hash;
pub mod limits;
mod load;
mod model;
mod options;
mod schema;
mod stages;

pub use error::LoadError;
pub use files::{FileKind, Files};
pub use load::load;
pub use options::{LoadOptions, Loaded, Stages};
