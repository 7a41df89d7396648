//! Builder: what a Dockerfile says, what is to be said about it, and what is to be done.
//!
//! [`dockerfile`] cuts the text into instructions, [`instruction`] reads each, [`expand`] replaces
//! variables. One walk through the stages collects findings ([`check`]) and makes the plan ([`plan`]); what images
//! say about themselves comes from whoever asks ([`plan::Images`]). [`report`] writes findings down as
//! `build --check` prints them, and [`exec`] carries plans out.
//!
//! But for [`exec`] and what it uses, all of it is pure: no file, no environment, no clock.
//!
//! Sources: the Dockerfile reference (<https://docs.docker.com/reference/dockerfile/>) and the build
//! checks (<https://docs.docker.com/reference/build-checks/>), syntax 1.26.

pub mod bake;
mod cache_transfer;
pub mod check;
mod class;
pub mod dockerfile;
pub mod exec;
mod expand;
mod export;
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
