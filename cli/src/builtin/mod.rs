//! The images that this executable carries: `coracle.local/hello` and `coracle.local/whoami`, and one that stands in for
//! the reaper of Testcontainers.
//!
//! # How it works
//!
//! The images are made of the executable itself the first time one of them is named:
//! one layer holds it as `/hello` and, by hard links, as `/whoami` and `/ryuk`. Inside a container
//! it sees one of those names in `argv[0]` and is that program. Nothing is downloaded.
//!
//! A label says which executable an image was made of. An image of another one, left by
//! an older version, is replaced when it is named again.

mod elf;
mod hello;
mod image;
mod layer;
mod ryuk;
mod whoami;

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;

pub(crate) use image::{DOMAIN, prepare, prepare_outside, pull};

/// The image that stands in for one of others in a session of the Engine API, which does itself what that one is for.
pub(crate) fn stand_in(name: &str) -> Option<&'static str> {
    let bare = name.strip_prefix("docker.io/").unwrap_or(name);
    let is_reaper = bare == "testcontainers/ryuk"
        || bare
            .strip_prefix("testcontainers/ryuk")
            .is_some_and(|rest| rest.starts_with([':', '@']));
    is_reaper.then_some("coracle.local/ryuk:latest")
}

/// Runs the program that this executable is in a container of one of its own images.
/// Gives the words back when `argv0` names neither.
pub(crate) fn program<I>(argv0: &OsStr, words: I) -> Result<ExitCode, I>
where
    I: Iterator<Item = OsString>,
{
    match Path::new(argv0).file_name().and_then(OsStr::to_str) {
        Some("hello") => Ok(hello::main(words)),
        Some("whoami") => Ok(whoami::main(words)),
        Some("ryuk") => Ok(ryuk::main()),
        _ => Err(words),
    }
}
