//! The state on disk: an append-only file of transactions, which begins with a whole state.
//!
//! # How it works
//!
//! `swarm/journal.jsonl` in the data root: a line with the version, then a line for each transaction, the first being
//! everything there was when the file was written. What a person asked for is synced before it is answered; what the
//! agent notes of tasks is not, because it can be seen again. A file that has grown to several times what it holds is
//! written anew beside, synced and renamed, so that a reader has one consistent file whenever it opens it.
//!
//! A line that a crash cut off is the last one, was never answered, and is taken away by the next writer. Readers
//! stop before it.
//!
//! # Limits
//!
//! One writer, who holds [`Journal`]'s lock for as long as it lives; any number of readers ([`Reader`]).

mod read;
mod write;

use std::io;
use std::path::{Path, PathBuf};

use coracle_words::Timestamp;
use serde::{Deserialize, Serialize};

pub use read::Reader;
pub use write::{Journal, Sync};

use crate::state::Change;

/// Newer files are refused.
const VERSION: u32 = 1;
const FILE: &str = "journal.jsonl";
const NEW: &str = "journal.new";
const LOCK: &str = "lock";

/// Why the state cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    #[error("cannot read the state of the swarm, {path}")]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write the state of the swarm, {path}")]
    Write { path: PathBuf, source: io::Error },
    #[error(
        "{path} was written by a newer version of this program (format {found}, known is {VERSION}); use that one, or \
         `swarm leave --force` with it"
    )]
    Newer { path: PathBuf, found: u32 },
    #[error(
        "{path} is damaged in line {line}; what comes after it would be lost. Move the file away to begin anew"
    )]
    Damaged { path: PathBuf, line: usize, source: serde_json::Error },
    #[error(
        "another agent writes the state of the swarm in {path}; this one waited for it and gave up"
    )]
    Busy { path: PathBuf },
}

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    version: u32,
}

/// A transaction.
#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    index: u64,
    at: Timestamp,
    changes: Vec<Change>,
}

/// The folder of the swarm's state in a data root.
#[must_use]
pub fn folder(data_root: &Path) -> PathBuf {
    data_root.join("swarm")
}

/// Whether a data root has a swarm, as far as a look at its files tells.
#[must_use]
pub fn is_there(data_root: &Path) -> bool {
    folder(data_root).join(FILE).exists()
}

#[cfg(test)]
mod tests;
