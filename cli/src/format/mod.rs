//! Output formats: rows of a list command, tables, sizes and ages.
//!
//! [`Listing`] renders the rows of a list command (table, JSON, template, ids only); the language
//! of `--format` is in [`coracle_words::template`]. Nothing here prints: everything returns text.

mod listing;
mod tabs;
#[cfg(test)]
mod tests;
pub(crate) mod units;

pub(crate) use coracle_words::template::{
    Data, Missing, Template, TemplateError, go_quote, indented, visible,
};
pub(crate) use listing::{Columns, Listing, Row};
pub(crate) use tabs::align_with;
