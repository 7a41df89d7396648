//! Commands on stacks, a file a verb; `table` has their rows, `rows` the columns of listings.
//!
//! `carry` does what a deploy decides, `files` reads, `gone` waits.

mod carry;
pub(crate) mod config;
pub(crate) mod deploy;
mod files;
mod gone;
pub(crate) mod ls;
pub(crate) mod ps;
pub(crate) mod rm;
pub(crate) mod rows;
pub(crate) mod services;
pub(crate) mod table;
