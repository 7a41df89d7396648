//! Containers: found, filtered, listed, inspected, measured.

mod document;
mod filter;
mod find;
mod prune;
mod seen;
mod stats;
mod summary;

pub use document::document;
pub use filter::ContainerFilters;
pub use find::{Known, find, find_id, large_logs, list, log_size, size};
pub use prune::{PRUNE_FILTERS, prunable};
pub use stats::{Reading, read as read_stats};
pub use summary::{ContainerSummary, PortEntry, command_line, networks, status, time};
