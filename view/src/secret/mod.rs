//! Secrets and configs: found, filtered, listed, inspected.

mod document;
mod list;

pub use document::document;
pub use list::{Kind, find, list};
