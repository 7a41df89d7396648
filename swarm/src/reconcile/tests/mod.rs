//! The reconciler against a simulated executor on a simulated clock.

mod addresses;
mod basics;
mod executor;
mod failures;
mod faults;
mod jobs;
mod jumps;
mod listings;
mod losses;
mod lost_nodes;
mod placement;
mod play;
mod recorded;
mod replay;
mod rollouts;
mod sim;
mod timelines;
mod verdict;
