//! What the model asks of the outside: the content of files. It opens nothing by itself.

use std::io;
use std::path::Path;

/// What a path leads to, links followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    Missing,
    File,
    Directory,
}

/// Files by absolute path.
pub trait Files {
    /// The whole content, of at most [`crate::limits::FILE_BYTES_MAX`] bytes and one more:
    /// more need not be read to see that it is too much.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// As [`Files::read`], of standard input (`-f -`).
    fn read_stdin(&self) -> io::Result<Vec<u8>>;

    fn kind(&self, path: &Path) -> FileKind;
}
