//! Services: found, told of as JSON and as text.

mod defaults;
mod document;
mod find;
mod pretty;

pub use defaults::with_defaults;
pub use document::document;
pub use find::{find, find_task};
pub use pretty::pretty;
