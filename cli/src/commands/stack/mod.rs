//! Commands on stacks, a file a verb; `table` has their rows.

pub(crate) mod config;
mod files;
pub(crate) mod table;
