//! Commands on stacks, a file a verb; `table` has their rows, `rows` the columns of listings.
//!
//! `carry` and `contents` do what a deploy decides, `planned` says what that is, `files` reads, `gone` waits.

mod carry;
pub(crate) mod config;
mod contents;
pub(crate) mod deploy;
mod files;
mod gone;
pub(crate) mod ls;
pub(crate) mod plan;
mod planned;
pub(crate) mod ps;
pub(crate) mod rm;
pub(crate) mod rows;
pub(crate) mod services;
pub(crate) mod table;
