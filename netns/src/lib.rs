//! Network namespaces of containers.
//!
//! For now a container has the host's network, another container's, or one of its own
//! with nothing but the loopback device, which this crate switches on.

pub mod addresses;
pub mod dns;
mod flow;
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
