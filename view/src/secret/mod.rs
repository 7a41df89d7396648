//! Secrets and configs: found, filtered, listed, inspected, rotated.

mod document;
mod list;
pub mod rotate;

pub use document::document;
pub use list::{Kind, find, list};
