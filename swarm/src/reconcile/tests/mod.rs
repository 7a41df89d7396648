//! The reconciler against a simulated executor on a simulated clock.

mod addresses;
mod basics;
mod executor;
mod failures;
mod faults;
mod jobs;
mod jumps;
mod losses;
mod placement;
mod rollouts;
mod sim;
