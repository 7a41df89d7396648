//! Builder: what a Dockerfile says, and what is to be said about it.
//!
//! [`dockerfile`] cuts the text into instructions, [`instruction`] reads each, [`expand`] replaces
//! variables, [`check`] goes through the stages as a build would and collects findings, and
//! [`report`] writes them down as `build --check` prints them.
//!
//! Pure: no file, no environment, no clock. What an image says about itself comes from whoever asks
//! ([`check::Bases`]).
//!
//! Sources: the Dockerfile reference (<https://docs.docker.com/reference/dockerfile/>) and the build
//! checks (<https://docs.docker.com/reference/build-checks/>), syntax 1.26.
//!
//! # Not here
//!
//! Nothing is built: neither a plan nor its execution is here yet.

pub mod bake;
pub mod check;
pub mod dockerfile;
pub mod exec;
mod expand;
pub mod files;
pub mod flags;
pub mod ignore;
pub mod instruction;
pub mod limits;
pub mod plan;
pub mod progress;
pub mod report;
pub mod request;
mod similar;
mod source;
pub mod sources;
mod walk;

pub use source::{Fault, Span, excerpt};
