//! Removing a directory with all that is in it, whatever an image put there.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, openat, renameat, unlinkat};
use rustix::io::Errno;

/// Depth at which `remove_tree` moves a directory up instead of descending further,
/// so that neither stack nor descriptors depend on what an image contains.
const REMOVE_DEPTH_MAX: usize = 32;

/// Removes a file or a directory with all its content; absent is fine.
///
/// Follows no symlink, copes with any depth, and goes on after a failure;
/// the first failure is returned.
pub(crate) fn remove_tree(path: &Path) -> io::Result<()> {
    let meta = match std::fs::symlink_metadata(path) {
        Ok(meta) => meta,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(e),
    };
    if !meta.is_dir() {
        return absent_is_fine(std::fs::remove_file(path));
    }
    clear(open_dir(rustix::fs::CWD, path)?)?;
    absent_is_fine(std::fs::remove_dir(path))
}

/// As [`remove_tree`], of what is called `name` in an open directory.
pub(crate) fn remove_at(parent: &OwnedFd, name: &[u8]) -> io::Result<()> {
    match unlinkat(parent, name, AtFlags::empty()) {
        Err(Errno::ISDIR) => {}
        outcome => return absent_is_fine(outcome.map_err(io::Error::from)),
    }
    clear(open_dir(parent, name)?)?;
    absent_is_fine(unlinkat(parent, name, AtFlags::REMOVEDIR).map_err(io::Error::from))
}

/// Removes what is in a directory.
fn clear(top: OwnedFd) -> io::Result<()> {
    let mut sweep = Sweep { top, moved: VecDeque::new(), next: 0, first_error: None };
    let descriptor = sweep.top.try_clone()?;
    sweep.clear(&descriptor, 0);
    while let Some(name) = sweep.moved.pop_front() {
        let top = sweep.top.try_clone()?;
        sweep.remove_dir(&top, name.as_bytes(), 0);
    }
    sweep.first_error.map_or(Ok(()), |errno| Err(errno.into()))
}

/// Somebody else may remove the same at the same time.
fn absent_is_fine(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn open_dir<Fd: std::os::fd::AsFd, P: rustix::path::Arg>(
    at: Fd,
    path: P,
) -> Result<OwnedFd, Errno> {
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
    fn note(&mut self, outcome: Result<(), Errno>) {
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
}
