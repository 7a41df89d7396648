//! Nodes of a swarm: found, filtered, listed, inspected, and what may be asked on one.

mod document;
mod list;
mod standing;

pub use document::document;
pub use list::{find, itself, list, name_of};
pub use standing::{NO_LEADER, NO_MANAGER, NO_SWARM, Standing, is_gone, leave_refusal, standing};
