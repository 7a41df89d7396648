//! `build`.

mod contexts;
mod flags;
mod steps;
