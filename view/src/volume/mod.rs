//! Volumes: listed, inspected.

mod document;
mod list;

pub use document::document;
pub use list::{OfNode, all, find, list};
