//! Small file-system steps the store is made of.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use crate::error::{ImageError, Result};

/// Creates a directory that only its owner may enter, unless it is there.
pub(super) fn make_private_dir(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(ImageError::io("create", path))
}

pub(super) fn open_lock(path: &Path) -> Result<File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
        .map_err(ImageError::io("open", path))
}

/// Whether `path` still leads to the open file.
pub(super) fn is_same_file(open: &File, path: &Path) -> bool {
    match (open.metadata(), std::fs::symlink_metadata(path)) {
        (Ok(a), Ok(b)) => a.ino() == b.ino() && a.dev() == b.dev(),
        _ => false,
    }
}

/// Replaces `path` by `bytes`, so that a reader sees the old or the new content whole,
/// and after a power loss one of them is there. `tmp` is on the same file system.
pub(super) fn replace_file(path: &Path, tmp: &Path, bytes: &[u8]) -> Result<()> {
    write_synced(tmp, bytes)?;
    rename(tmp, path)?;
    path.parent().map_or(Ok(()), sync_dir)
}

/// Writes a file that is on the disk for certain, though not its name.
pub(super) fn write_synced(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .map_err(ImageError::io("create", path))?;
    file.write_all(bytes).map_err(ImageError::io("write", path))?;
    file.sync_data().map_err(ImageError::io("sync", path))
}

/// Gives a file its name, whatever had it.
pub(super) fn rename(new: &Path, path: &Path) -> Result<()> {
    std::fs::rename(new, path).map_err(ImageError::io("replace", path))
}

/// Writes the names in a folder to the disk.
pub(super) fn sync_dir(dir: &Path) -> Result<()> {
    let open = File::open(dir).map_err(ImageError::io("open", dir))?;
    open.sync_all().map_err(ImageError::io("sync", dir))
}

/// Writes everything that was changed on the file system of `dir` to the disk.
pub(super) fn sync_filesystem(dir: &Path) -> Result<()> {
    let open = File::open(dir).map_err(ImageError::io("open", dir))?;
    rustix::fs::syncfs(&open).map_err(ImageError::io("sync", dir))
}

/// Removes a file or a directory with all its content; absent is fine.
pub(crate) fn remove_tree(path: &Path) -> Result<()> {
    crate::remove_tree::remove_tree(path).map_err(ImageError::io("remove", path))
}

/// Reads a whole file, at most `bytes_max` bytes; `None` when there is none.
pub(super) fn read_optional(path: &Path, bytes_max: u64) -> Result<Option<Vec<u8>>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(ImageError::io("open", path)(e)),
    };
    let len = file.metadata().map_err(ImageError::io("read", path))?.len();
    if len > bytes_max {
        let what = format!("`{}`", path.display());
        return Err(ImageError::TooLarge { what, bytes: len, limit: bytes_max });
    }
    let mut bytes = Vec::new();
    io::Read::read_to_end(&mut file, &mut bytes).map_err(ImageError::io("read", path))?;
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_a_file_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        replace_file(&path, &dir.path().join("t"), b"one").unwrap();
        replace_file(&path, &dir.path().join("t"), b"two").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
