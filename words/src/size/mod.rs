//! Sizes: bytes as users write and as Docker prints them.

mod parse;
mod print;

pub use parse::{InvalidSize, compose, flag, log, mount};
pub use print::{binary_size, exact_size, human_size, short_size};
