//! Services: found, filtered, counted, listed, told of as JSON and as text, followed on their way, explained;
//! and what their tasks wrote.

mod count;
mod defaults;
mod document;
mod find;
mod list;
pub mod logs;
pub mod plan;
mod ports;
mod pretty;
pub mod progress;
pub mod why;

pub use count::{Counts, counts, mode_name, replicas};
pub(crate) use defaults::task_as_told;
pub use defaults::with_defaults;
pub use document::{bare_document, document};
pub use find::{find, find_task};
pub use list::{all, list};
pub use ports::{published, task_ports};
pub use pretty::pretty;
