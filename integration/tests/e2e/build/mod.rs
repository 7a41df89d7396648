//! `build`.

mod contexts;
mod flags;
