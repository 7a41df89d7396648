//! Output formats: templates of `--format`, tables, sizes and ages.
//!
//! [`Template`] is the language of `--format`; [`Listing`] renders the rows of
//! a list command (table, JSON, template, ids only); [`units`] writes sizes and
//! ages as Docker does. Nothing here prints: everything returns text.

mod ast;
mod eval;
mod functions;
mod lex;
mod listing;
mod parse;
mod print;
mod tabs;
#[cfg(test)]
mod tests;
pub(crate) mod units;

pub(crate) use ast::Template;
pub(crate) use eval::{Data, Missing, TemplateError};
pub(crate) use listing::{Columns, Listing, Row};
pub(crate) use print::{go_quote, indented, visible};
pub(crate) use tabs::align_with;
