//! Tasks of services: filtered, named, listed.

mod document;
mod filter;
mod list;

pub use document::document;
pub use filter::{list, of_services};
pub use list::{TaskSummary, shown_image, summaries};
