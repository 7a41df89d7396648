//! The reconciler against a simulated executor on a simulated clock.

mod basics;
mod executor;
mod failures;
mod faults;
mod jobs;
mod losses;
mod rollouts;
mod sim;
