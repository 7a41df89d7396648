//! Whole directory trees: remove one, measure one.
//!
//! # How it works
//!
//! One directory is open at a time. Going down, `openat2` neither follows symlinks nor
//! crosses a mount; going up, `..` must be the directory we came from. So whoever renames
//! things meanwhile cannot lead us elsewhere, and depth costs memory only.
//!
//! # Limits
//!
//! A mount inside a tree to be removed is an error, and what is mounted stays untouched.

use std::collections::HashSet;
use std::ffi::{CStr, CString};
use std::fs::{self, Permissions};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, fstat, openat2, statat};
use rustix::io::Errno;

use super::VolumeError;

/// Mode under which our own directories can be read and emptied.
const UNLOCKED: u32 = 0o700;

/// Removes a file or a directory with everything in it; absent is fine. Goes on after a
/// failure; the first one is returned.
///
/// # Errors
/// When something could not be removed.
pub fn remove_tree(path: &Path) -> Result<(), VolumeError> {
    let failed = || VolumeError::io::<io::Error>("remove", path);
    let meta = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found.map_err(failed())?,
    };
    if !meta.is_dir() {
        return fs::remove_file(path).map_err(failed());
    }
    let top = match open_top(path) {
        Err(Errno::ACCESS) => {
            fs::set_permissions(path, Permissions::from_mode(UNLOCKED)).map_err(failed())?;
            open_top(path)
        }
        // Somebody was faster, here and below.
        Err(Errno::NOENT) => return Ok(()),
        outcome => outcome,
    };
    match walk(top.map_err(io::Error::from).map_err(failed())?, &mut Remove) {
        Some(errno) => Err(failed()(errno.into())),
        None => match fs::remove_dir(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed.map_err(failed()),
        },
    }
}

/// Bytes of all files in a tree, each counted once; what cannot be read counts nothing.
#[must_use]
pub fn tree_bytes(path: &Path) -> u64 {
    let mut sum = Sum::default();
    if let Ok(top) = open_top(path) {
        walk(top, &mut sum);
    }
    sum.bytes
}

fn open_top(path: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty())
}

/// What to do in each place of a tree.
trait Visit {
    /// With something that is no directory.
    fn file(&mut self, dir: BorrowedFd<'_>, name: &CStr) -> Result<(), Errno>;
    /// With a directory that was visited.
    fn leave(&mut self, parent: BorrowedFd<'_>, name: &CStr) -> Result<(), Errno>;
    /// With a directory that we may not enter; true: try again.
    fn unlock(&mut self, parent: BorrowedFd<'_>, name: &CStr) -> bool;
}

/// A directory on the way from the top to the present one.
struct Level {
    name: CString,
    identity: (u64, u64),
    /// Not yet visited.
    dirs: Vec<CString>,
}

/// Visits everything below `top`; returns the first failure.
fn walk(top: OwnedFd, visit: &mut dyn Visit) -> Option<Errno> {
    let mut first_error = None;
    let mut note = |outcome: Result<(), Errno>| {
        if let Err(errno) = outcome
            && errno != Errno::NOENT
        {
            first_error.get_or_insert(errno);
        }
    };
    let mut here = top;
    let mut stack = vec![level(&here, c"".to_owned(), visit, &mut note)];
    while let Some(present) = stack.last_mut() {
        if let Some(name) = present.dirs.pop() {
            match enter(here.as_fd(), &name, visit) {
                Ok(dir) => {
                    here = dir;
                    stack.push(level(&here, name, visit, &mut note));
                }
                Err(errno) => note(Err(errno)),
            }
            continue;
        }
        let done = stack.pop();
        let (Some(done), Some(parent)) = (done, stack.last()) else { break };
        match open_parent(&here, parent.identity) {
            Ok(up) => here = up,
            Err(errno) => {
                // Without the way back nothing more can be done.
                note(Err(errno));
                break;
            }
        }
        note(visit.leave(here.as_fd(), &done.name));
    }
    first_error
}

/// Visits the files of a directory and lists the directories in it.
fn level(
    dir: &OwnedFd,
    name: CString,
    visit: &mut dyn Visit,
    note: &mut dyn FnMut(Result<(), Errno>),
) -> Level {
    let identity = fstat(dir).map(|stat| (stat.st_dev, stat.st_ino)).unwrap_or_default();
    let mut dirs = Vec::new();
    match Dir::read_from(dir) {
        Err(errno) => note(Err(errno)),
        Ok(entries) => {
            for entry in entries {
                let entry = match entry {
                    Ok(entry) => entry,
                    Err(errno) => {
                        note(Err(errno));
                        break;
                    }
                };
                let name = entry.file_name();
                if name == c"." || name == c".." {
                    continue;
                }
                if is_dir(dir, name, entry.file_type()) {
                    dirs.push(name.to_owned());
                } else {
                    note(visit.file(dir.as_fd(), name));
                }
            }
        }
    }
    Level { name, identity, dirs }
}

fn is_dir(dir: &OwnedFd, name: &CStr, listed: FileType) -> bool {
    if listed != FileType::Unknown {
        return listed == FileType::Directory;
    }
    statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)
        .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory)
}

fn enter(parent: BorrowedFd<'_>, name: &CStr, visit: &mut dyn Visit) -> Result<OwnedFd, Errno> {
    match open_below(parent, name) {
        Err(Errno::ACCESS) if visit.unlock(parent, name) => open_below(parent, name),
        outcome => outcome,
    }
}

fn open_below(parent: BorrowedFd<'_>, name: &CStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
    loop {
        match openat2(parent, name, flags, Mode::empty(), resolve) {
            // Something was renamed elsewhere meanwhile; the kernel asks to try again.
            Err(Errno::AGAIN | Errno::INTR) => {}
            outcome => return outcome,
        }
    }
}

fn open_parent(dir: &OwnedFd, expected: (u64, u64)) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let parent = rustix::fs::openat(dir, c"..", flags, Mode::empty())?;
    let stat = fstat(&parent)?;
    // Somebody moved the directory we are in.
    if (stat.st_dev, stat.st_ino) == expected { Ok(parent) } else { Err(Errno::STALE) }
}

struct Remove;

impl Remove {
    /// Unlinks; a directory of ours that may not be written is first made writable.
    fn unlink(dir: BorrowedFd<'_>, name: &CStr, flags: AtFlags) -> Result<(), Errno> {
        match rustix::fs::unlinkat(dir, name, flags) {
            Err(Errno::ACCESS) => {
                rustix::fs::fchmod(dir, Mode::from_raw_mode(UNLOCKED))?;
                rustix::fs::unlinkat(dir, name, flags)
            }
            outcome => outcome,
        }
    }
}

impl Visit for Remove {
    fn file(&mut self, dir: BorrowedFd<'_>, name: &CStr) -> Result<(), Errno> {
        Self::unlink(dir, name, AtFlags::empty())
    }

    fn leave(&mut self, parent: BorrowedFd<'_>, name: &CStr) -> Result<(), Errno> {
        Self::unlink(parent, name, AtFlags::REMOVEDIR)
    }

    fn unlock(&mut self, parent: BorrowedFd<'_>, name: &CStr) -> bool {
        // A handle without access, so that the change cannot go through a symlink.
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let Ok(handle) = rustix::fs::openat(parent, name, flags, Mode::empty()) else {
            return false;
        };
        let path = format!("/proc/self/fd/{}", handle.as_raw_fd());
        fs::set_permissions(path, Permissions::from_mode(UNLOCKED)).is_ok()
    }
}

#[derive(Default)]
struct Sum {
    bytes: u64,
    /// Files with several names.
    seen: HashSet<(u64, u64)>,
}

impl Visit for Sum {
    fn file(&mut self, dir: BorrowedFd<'_>, name: &CStr) -> Result<(), Errno> {
        let stat = statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)?;
        if stat.st_nlink < 2 || self.seen.insert((stat.st_dev, stat.st_ino)) {
            self.bytes += u64::try_from(stat.st_size).unwrap_or(0);
        }
        Ok(())
    }

    fn leave(&mut self, _: BorrowedFd<'_>, _: &CStr) -> Result<(), Errno> {
        Ok(())
    }

    fn unlock(&mut self, _: BorrowedFd<'_>, _: &CStr) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::{remove_tree, tree_bytes};

    #[test]
    fn removes_locked_directories_and_leaves_what_symlinks_lead_to() {
        let temp = tempfile::tempdir().unwrap();
        let outside = temp.path().join("outside");
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("kept"), "x").unwrap();
        let top = temp.path().join("top");
        fs::create_dir_all(top.join("a/b/c")).unwrap();
        fs::write(top.join("a/b/c/file"), "x").unwrap();
        symlink(&outside, top.join("a/link")).unwrap();
        symlink("nowhere", top.join("dangling")).unwrap();
        for locked in ["a/b/c", "a/b", "a", ""] {
            fs::set_permissions(top.join(locked), Permissions::from_mode(0o0)).unwrap();
        }
        remove_tree(&top).unwrap();
        assert!(!top.exists());
        assert_eq!(fs::read_to_string(outside.join("kept")).unwrap(), "x");
        symlink(&outside, &top).unwrap();
        remove_tree(&top).unwrap();
        assert!(outside.join("kept").exists());
        remove_tree(&top).unwrap();
    }

    #[test]
    fn removes_trees_deeper_than_a_path_is_long() {
        use rustix::fs::{CWD, Mode, OFlags, mkdirat, openat};
        let temp = tempfile::tempdir().unwrap();
        let top = temp.path().join("top");
        let (mode, flags) = (Mode::from_raw_mode(0o755), OFlags::DIRECTORY | OFlags::RDONLY);
        fs::create_dir(&top).unwrap();
        let mut dir = openat(CWD, &top, flags, Mode::empty()).unwrap();
        let name = "d".repeat(200);
        for _ in 0..1500 {
            mkdirat(&dir, name.as_str(), mode).unwrap();
            dir = openat(&dir, name.as_str(), flags, Mode::empty()).unwrap();
        }
        remove_tree(&top).unwrap();
        assert!(!top.exists());
    }

    #[test]
    fn measures_files_once() {
        let temp = tempfile::tempdir().unwrap();
        fs::write(temp.path().join("one"), "one\n").unwrap();
        symlink("one", temp.path().join("lnk")).unwrap();
        assert_eq!(tree_bytes(temp.path()), 7);
        fs::create_dir(temp.path().join("sub")).unwrap();
        fs::hard_link(temp.path().join("one"), temp.path().join("sub/two")).unwrap();
        assert_eq!(tree_bytes(temp.path()), 7);
        assert_eq!(tree_bytes(&temp.path().join("absent")), 0);
    }
}
