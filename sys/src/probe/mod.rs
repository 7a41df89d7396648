//! Ask the kernel what it can do, without leaving a trace.
//!
//! Each probe makes the very call it asks about, in a way that has no effect, or in a
//! child process in namespaces of its own that end with it. What an answer means is the
//! caller's business.

mod namespace;
mod syscalls;

pub use namespace::{in_user_namespace, unshare_network};
pub use syscalls::{MissingCall, missing_calls};
