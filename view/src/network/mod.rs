//! Networks: found, listed, inspected.

mod document;
mod find;
mod list;
mod refusals;
mod services;

pub use document::document;
pub use find::{all, find};
pub use list::list;
pub use refusals::{not_for_services, removal_refused};
pub use services::services;
