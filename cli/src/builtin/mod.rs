//! The images that this executable carries: `coracle.local/hello` and `coracle.local/whoami`.
//!
//! # How it works
//!
//! Both images are made of the executable itself the first time one of them is named:
//! one layer holds it as `/hello` and, by a hard link, as `/whoami`. Inside a container
//! it sees one of those names in `argv[0]` and is that program. Nothing is downloaded.
//!
//! A label says which executable an image was made of. An image of another one, left by
//! an older version, is replaced when it is named again.

mod elf;
mod hello;
mod image;
mod layer;
mod whoami;

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;

pub(crate) use image::{DOMAIN, prepare, prepare_outside, pull};

/// Runs the program that this executable is in a container of one of its own images.
/// Gives the words back when `argv0` names neither.
pub(crate) fn program<I>(argv0: &OsStr, words: I) -> Result<ExitCode, I>
where
    I: Iterator<Item = OsString>,
{
    match Path::new(argv0).file_name().and_then(OsStr::to_str) {
        Some("hello") => Ok(hello::main(words)),
        Some("whoami") => Ok(whoami::main(words)),
        _ => Err(words),
    }
}
