//! Carries a plan out: one process, one thread, everything that can go on at once does.
//!
//! # How it works
//!
//! Making things is quick and goes in the order of the plan. Starting and stopping take
//! time: starts are begun as soon as what a service depends on is there, stops of a wave are
//! begun together, and one loop waits for all of them.
//!
//! # When it is killed
//!
//! Every step leaves a state that the next plan understands: what exists has its labels, a
//! container that was to take another's place says so ([`labels::REPLACE`]).
//!
//! [`labels::REPLACE`]: crate::project::labels::REPLACE

pub(crate) mod conditions;
mod create;
mod error;
mod files;
mod hooks;
mod look;
mod objects;
mod one_off;
mod pre_start;
mod start;
mod steps;
mod stop;
mod tail;
mod tell;
mod wait;

pub use error::ApplyError;
pub use look::{look, seen};
pub use one_off::OneOff;
pub use steps::{Apply, Inputs, Settings};
pub use stop::{Teardown, waves_of};
pub use tell::{Kind, Turn, Watcher};
