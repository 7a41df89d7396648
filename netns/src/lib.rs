//! Networks without root: bridges in a namespace of ours, and one helper that leads in and out.
//!
//! [`netd`] is the helper, [`protocol`] what its clients say to it; [`hub`] makes bridges and
//! endpoints over [`netlink`] and [`nft`]; [`dns`] answers names. Nothing here knows what a
//! container is made of.

pub mod addresses;
pub mod balance;
pub mod dns;
mod flow;
#[cfg(test)]
mod fuzz;
pub mod hub;
mod loopback;
mod maker;
pub mod netd;
pub mod netlink;
pub mod nft;
pub mod prefix;
pub mod protocol;
mod wire;
#[cfg(test)]
mod world;

pub use loopback::{LoopbackError, raise_loopback};
