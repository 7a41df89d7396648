//! Tasks of services: filtered, named, listed.

mod filter;
mod list;

pub use filter::{list, of_services};
pub use list::{TaskSummary, shown_image, summaries};
