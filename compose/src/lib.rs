//! Compose: from files to a checked project, and from a project to running containers.

mod error;
mod files;
pub mod hash;
pub mod limits;
mod load;
mod model;
mod options;
mod output;
pub mod reference;
mod schema;
mod stages;
mod text;
mod tree;
mod yaml;

pub use error::LoadError;
pub use files::{FileKind, Files};
pub use load::load;
pub use options::{LoadOptions, Loaded, Stages};
pub use output::to_yaml;
pub use text::variables::Variable;
