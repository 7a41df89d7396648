//! Network namespaces of containers.
//!
//! For now a container has the host's network, another container's, or one of its own
//! with nothing but the loopback device, which this crate switches on.

mod loopback;
pub mod protocol;

pub use loopback::{LoopbackError, raise_loopback};
