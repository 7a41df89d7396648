//! Nodes of a swarm: found, filtered, listed, inspected, and what may be asked on one.

mod document;
mod list;
mod standing;

pub use document::document;
pub use list::{chosen, find, itself, lasting_id, list, machines, name_of};
pub use standing::{Standing, is_gone, standing};
