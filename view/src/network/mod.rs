//! Networks: found, listed, inspected.

mod document;
mod find;
mod list;

pub use document::document;
pub use find::{all, find};
pub use list::list;
