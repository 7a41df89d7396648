//! The reconciler against a simulated executor on a simulated clock.

mod basics;
mod losses;
mod sim;
