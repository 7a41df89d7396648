//! Commands that make images of Dockerfiles, or look at one.

mod args;
pub(crate) mod bake;
mod builders;
pub(crate) mod cache;
pub(crate) mod call;
mod check;
mod context;
mod credentials;
pub(crate) mod dockerfile;
pub(crate) mod fetched;
pub(crate) mod locate;
mod outcome;
pub(crate) mod progress;
pub(crate) mod run;
mod surroundings;
pub(crate) mod table;
pub(crate) mod unpacked;
mod wanted;
