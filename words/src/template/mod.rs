//! Templates as Go has them: the language of `--format`.
//!
//! [`Template::parse`] reads one, [`Template::apply`] gives the text that it makes of a JSON
//! document or of anything that has [`Fields`].

mod ast;
mod data;
mod error;
mod eval;
mod functions;
mod lex;
mod parse;
mod print;
#[cfg(test)]
mod tests;
mod value;

pub use ast::Template;
pub use data::{Context, Data, Fields, Functions, Missing};
pub use error::TemplateError;
pub use print::{escape_html, go_quote, indented, visible};
