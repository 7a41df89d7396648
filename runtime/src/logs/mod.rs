//! Logs of containers: what they wrote, kept in files and read back.
//!
//! # How it works
//!
//! The monitor hands every piece of output to a [`LogWriter`], which cuts it into lines
//! and appends one JSON object for each to the container's log file, in the form that
//! Docker's `json-file` driver has. [`read`] gives the entries back, following the file
//! if asked, across rotation. [`Show`] turns entries into what `logs` prints.
//!
//! # Limits
//!
//! Drivers: `json-file`, `local` and `none`. `local` has Docker's defaults (five files of
//! 20 MB) but the same form on disk as `json-file`, and compresses only when told to.
//! A line longer than 16 KiB becomes several entries, of which only the last ends with a
//! newline. Bytes that are not UTF-8 are lost, as in Docker.

mod attributes;
mod config;
mod entry;
mod error;
mod files;
mod read;
mod show;
mod split;
mod tail;
mod write;

pub use config::{Driver, Plan, validate};
pub use entry::{Entry, Stream};
pub use error::LogError;
pub use files::size;
pub use read::{Follow, ReadOptions, Steps, parse_tail, read};
pub use show::Show;
pub use write::LogWriter;
