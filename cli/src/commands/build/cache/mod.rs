//! What the cache of builds takes, and how to empty it.

mod du;
pub(crate) mod prune;
mod rows;

pub(crate) use du::BuilderDuArgs;
pub(crate) use prune::{BuilderPruneArgs, prune};
