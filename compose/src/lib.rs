//! Compose: from files to a checked project, and from a project to running containers.
//!
//! `project` is the checked project in types; `container` says what the engine makes of a
//! service; `plan` compares what is wanted with what is there, without doing anything;
//! `apply` looks at the engine and carries a plan out.

pub mod apply;
pub mod container;
pub mod plan;
pub mod project;
