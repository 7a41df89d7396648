//! Commands that make images of Dockerfiles: for now, only what looks at one.

mod call;
mod check;
mod dockerfile;
mod flags;
pub(crate) mod progress;
pub(crate) mod table;
