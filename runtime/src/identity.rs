//! Who we are outside, and files that may be replaced under their name: which one is it, is
//! there one?

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

/// Whether root of the host started us: then ids are what they are everywhere.
pub(crate) fn is_root_outside() -> bool {
    let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    map.split_ascii_whitespace().take(2).eq(["0", "0"])
}

/// What tells one file from another.
pub(crate) fn identity(file: &File) -> io::Result<(u64, u64)> {
    let meta = file.metadata()?;
    Ok((meta.dev(), meta.ino()))
}

/// As [`identity`] for the file at `path`; `None` when there is none.
pub(crate) fn identity_at(path: &Path) -> io::Result<Option<(u64, u64)>> {
    Ok(present(fs::symlink_metadata(path))?.map(|meta| (meta.dev(), meta.ino())))
}

/// `None` for what does not exist.
pub(crate) fn present<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Opens a file for reading; `None` when there is none.
pub(crate) fn open_for_read(path: &Path) -> io::Result<Option<File>> {
    let flags = OFlags::NOFOLLOW.bits().cast_signed();
    present(OpenOptions::new().read(true).custom_flags(flags).open(path))
}
