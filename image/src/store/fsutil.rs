//! Small file-system steps the store is made of.

use std::collections::VecDeque;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, openat, renameat, unlinkat};
use rustix::io::Errno;

use crate::error::{ImageError, Result};

/// Depth at which `remove_tree` moves a directory up instead of descending further,
/// so that neither stack nor descriptors depend on what an image contains.
const REMOVE_DEPTH_MAX: usize = 32;

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
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(tmp)
        .map_err(ImageError::io("create", tmp))?;
    file.write_all(bytes).map_err(ImageError::io("write", tmp))?;
    file.sync_data().map_err(ImageError::io("sync", tmp))?;
    std::fs::rename(tmp, path).map_err(ImageError::io("replace", path))?;
    if let Some(dir) = path.parent() {
        let open = File::open(dir).map_err(ImageError::io("open", dir))?;
        open.sync_all().map_err(ImageError::io("sync", dir))?;
    }
    Ok(())
}

/// Writes everything that was changed on the file system of `dir` to the disk.
pub(super) fn sync_filesystem(dir: &Path) -> Result<()> {
    let open = File::open(dir).map_err(ImageError::io("open", dir))?;
    rustix::fs::syncfs(&open).map_err(ImageError::io("sync", dir))
}

/// Removes a file or a directory with all its content; absent is fine.
///
/// Follows no symlink, copes with any depth, and goes on after a failure;
/// the first failure is returned.
pub(crate) fn remove_tree(path: &Path) -> Result<()> {
    let meta = match std::fs::symlink_metadata(path) {
        Ok(meta) => meta,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(ImageError::io("remove", path)(e)),
    };
    if !meta.is_dir() {
        return std::fs::remove_file(path).map_err(ImageError::io("remove", path));
    }
    let fail = |e: Errno| ImageError::io("remove", path)(e);
    let top = open_dir(rustix::fs::CWD, path).map_err(fail)?;
    let mut sweep = Sweep { top, moved: VecDeque::new(), next: 0, first_error: None };
    let descriptor = sweep.top.try_clone().map_err(ImageError::io("open", path))?;
    sweep.clear(&descriptor, 0);
    while let Some(name) = sweep.moved.pop_front() {
        let top = sweep.top.try_clone().map_err(ImageError::io("open", path))?;
        sweep.remove_dir(&top, name.as_bytes(), 0);
    }
    match sweep.first_error {
        Some(errno) => Err(fail(errno)),
        None => std::fs::remove_dir(path).map_err(ImageError::io("remove", path)),
    }
}

fn open_dir<Fd: std::os::fd::AsFd, P: rustix::path::Arg>(
    at: Fd,
    path: P,
) -> std::result::Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(at, path, flags, Mode::empty())
}

/// One removal in progress.
struct Sweep {
    top: OwnedFd,
    /// Directories that lay too deep, renamed into `top`.
    moved: VecDeque<String>,
    next: u64,
    first_error: Option<Errno>,
}

impl Sweep {
    fn note(&mut self, outcome: std::result::Result<(), Errno>) {
        match outcome {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(errno) => {
                self.first_error.get_or_insert(errno);
            }
        }
    }

    fn clear(&mut self, dir: &OwnedFd, depth: usize) {
        let entries = match Dir::read_from(dir) {
            Ok(entries) => entries,
            Err(errno) => return self.note(Err(errno)),
        };
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                Err(errno) => return self.note(Err(errno)),
            };
            let name = entry.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            if entry.file_type() == FileType::Directory {
                self.remove_dir(dir, name, depth + 1);
                continue;
            }
            match unlinkat(dir, name, AtFlags::empty()) {
                // Some file systems do not tell types in directory entries.
                Err(Errno::ISDIR) => self.remove_dir(dir, name, depth + 1),
                outcome => self.note(outcome),
            }
        }
    }

    fn remove_dir(&mut self, parent: &OwnedFd, name: &[u8], depth: usize) {
        if unlinkat(parent, name, AtFlags::REMOVEDIR).is_ok() {
            return;
        }
        if depth > REMOVE_DEPTH_MAX {
            let moved = format!(".removing-{}-{}", std::process::id(), self.next);
            self.next += 1;
            match renameat(parent, name, &self.top, moved.as_str()) {
                Ok(()) => self.moved.push_back(moved),
                Err(errno) => self.note(Err(errno)),
            }
            return;
        }
        match open_dir(parent, name) {
            Ok(dir) => self.clear(&dir, depth),
            Err(errno) => return self.note(Err(errno)),
        }
        let outcome = unlinkat(parent, name, AtFlags::REMOVEDIR);
        self.note(outcome);
    }
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
    fn removes_any_depth_and_follows_no_symlink() {
        let dir = tempfile::tempdir().unwrap();
        let outside = dir.path().join("outside");
        std::fs::create_dir(&outside).unwrap();
        std::fs::write(outside.join("keep"), "").unwrap();
        let tree = dir.path().join("tree");
        std::fs::create_dir(&tree).unwrap();
        let mut at = open_dir(rustix::fs::CWD, &tree).unwrap();
        for _ in 0..3000 {
            std::os::unix::fs::symlink("x", tree.join("l")).unwrap_or_default();
            rustix::fs::symlinkat(&outside, &at, "out").unwrap();
            rustix::fs::mkdirat(&at, "d", Mode::from_raw_mode(0o700)).unwrap();
            at = open_dir(&at, "d").unwrap();
        }
        remove_tree(&tree).unwrap();
        assert!(!tree.exists() && outside.join("keep").exists());
        remove_tree(&tree).unwrap();
    }

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
