//! The home: what a user has here, opened when it is needed.
//!
//! A [`Home`] holds the engine, the store of images and the right to be in the user's namespaces
//! (the session). Every command line, server and agent has one; what looks something up takes it,
//! and never a terminal or an environment.

mod facts;
mod image_users;
mod machine;
mod open;
mod scope;

pub use facts::HostFacts;
pub use image_users::image_users;
pub use machine::Machine;
pub(crate) use machine::memory_total;
pub use open::{Home, HomeSettings, Inside};
pub use scope::Scope;
