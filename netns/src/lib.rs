//! Network namespaces of containers.
//!
//! For now a container has the host's network, another container's, or one of its own
//! with nothing but the loopback device, which this crate switches on.

pub mod addresses;
pub mod dns;
pub mod hub;
mod loopback;
pub mod netlink;
pub mod nft;
pub mod prefix;
pub mod protocol;
#[cfg(test)]
mod world;

pub use loopback::{LoopbackError, raise_loopback};
