//! Networks: found, listed, inspected.

mod document;
mod find;
mod list;
mod removal;
mod services;

pub use document::document;
pub use find::{all, find};
pub use list::list;
pub use removal::removal_refused;
pub use services::services;
