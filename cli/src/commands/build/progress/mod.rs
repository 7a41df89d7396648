//! How a build is shown: what it tells comes in, text comes out. Everything goes to standard error.
//!
//! [`trace`] keeps what was told; [`plain`] and [`tree`] make text of it; [`rawjson`] passes it on to programs;
//! [`display`] alone looks at clock and terminal.
//!
//! Lines, marks and times are those of BuildKit's `progressui`, so that whoever reads the output of `docker build`,
//! person or program, reads this.

mod colours;
mod display;
mod ending;
mod mode;
mod plain;
mod rawjson;
mod redrawn;
mod trace;
mod tree;
mod window;

#[cfg(test)]
mod tests;

pub(crate) use display::Display;
pub(crate) use ending::failure;
pub(crate) use mode::{Mode, Wish};
