//! What a container changed: its own folder of the overlay against the layers below.
//!
//! # How it works
//!
//! The container's folder is walked by open directories. For each directory we keep the
//! list of layer folders that show through at this place, highest first; it ends at a
//! layer that hides what is below (a mark of removal, something that is no directory). A
//! name is looked up in these alone.
//!
//! A file that was copied up and is what it was is no change. A directory is a change when
//! mode or owner differ, or something in it changed. What starting a container leaves
//! (places for its mounts) is none.
//!
//! # Limits
//!
//! Directories are at most [`DEPTH_MAX`] deep: each holds a descriptor.

use std::collections::BTreeSet;
use std::ffi::{CStr, OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use coracle_image::unpack::marks::{
    hidden_by, hides_by_name, is_mark, is_opaque, is_opaque_at, is_whiteout,
};
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat, fstat, lstat, openat, statat};
use rustix::io::Errno;

/// How deep a container may nest directories for `diff` and `commit`.
const DEPTH_MAX: usize = 400;

/// What was done to a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    Changed,
    Added,
    Deleted,
}

impl ChangeKind {
    /// The letter `diff` prints.
    #[must_use]
    pub fn letter(self) -> char {
        match self {
            Self::Changed => 'C',
            Self::Added => 'A',
            Self::Deleted => 'D',
        }
    }
}

/// One difference between a container and its image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub kind: ChangeKind,
    /// Absolute in the container.
    pub path: PathBuf,
}

/// Places for mounts that starting a container makes where its image has none.
pub(super) const MADE_BY_US: [&str; 14] = [
    "/.dockerenv",
    "/dev",
    "/dev/console",
    "/dev/mqueue",
    "/dev/pts",
    "/dev/shm",
    "/etc",
    "/etc/hostname",
    "/etc/hosts",
    "/etc/resolv.conf",
    "/proc",
    "/sbin",
    "/sbin/docker-init",
    "/sys",
];

/// The differences between `upper` and `layers` (lowest first), parents before children,
/// names in order. `made` are further places that starting this container makes.
pub(crate) fn changes(
    upper: &Path,
    layers: &[PathBuf],
    made: &BTreeSet<PathBuf>,
) -> io::Result<Vec<Change>> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let root = rustix::fs::open(upper, flags, Mode::empty())?;
    let below: Vec<PathBuf> = layers.iter().rev().cloned().collect();
    let mut walk = Walk { made, found: Vec::new() };
    walk.directory(&root, Path::new("/"), &below, 0)?;
    Ok(walk.found)
}

struct Walk<'a> {
    made: &'a BTreeSet<PathBuf>,
    found: Vec<Change>,
}

/// What shows through from below at one place.
pub(crate) enum Below {
    Nothing,
    File(Stat, PathBuf),
    /// The folders that make it up, highest first.
    Directory(Stat, Vec<PathBuf>),
}

impl Walk<'_> {
    fn directory(
        &mut self,
        dir: &OwnedFd,
        path: &Path,
        below: &[PathBuf],
        depth: usize,
    ) -> io::Result<()> {
        if depth > DEPTH_MAX {
            let text = format!("{} is nested too deep", path.display());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        let names = names(dir)?;
        if is_opaque(dir.as_fd()) {
            self.hidden(&names, path, below)?;
        }
        for name in names {
            let child = path.join(&name);
            let stat = match statat(dir, &name, AtFlags::SYMLINK_NOFOLLOW) {
                // Removed while we looked.
                Err(Errno::NOENT) => continue,
                outcome => outcome?,
            };
            if is_regular(&stat)
                && let Some(hidden) = hidden_by(&name)
            {
                self.removed(path.join(hidden), &look_below(below, hidden)?);
                continue;
            }
            let under = look_below(below, &name)?;
            if is_whiteout(&stat) {
                self.removed(child, &under);
            } else if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
                self.child_directory(dir, &name, child, under, depth)?;
            } else {
                self.file(dir, child, &name, &stat, &under);
            }
        }
        Ok(())
    }

    fn child_directory(
        &mut self,
        parent: &OwnedFd,
        name: &OsStr,
        path: PathBuf,
        under: Below,
        depth: usize,
    ) -> io::Result<()> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let dir = match openat(parent, name, flags, Mode::empty()) {
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Ok(()),
            outcome => outcome?,
        };
        let stat = fstat(&dir)?;
        let (kind, below) = match under {
            Below::Directory(old, below) if same_meta(&stat, &old) => (None, below),
            Below::Directory(_, below) => (Some(ChangeKind::Changed), below),
            Below::File(..) => (Some(ChangeKind::Changed), Vec::new()),
            Below::Nothing if self.is_ours(&path) => (None, Vec::new()),
            Below::Nothing => (Some(ChangeKind::Added), Vec::new()),
        };
        let before = self.found.len();
        self.note(kind.unwrap_or(ChangeKind::Changed), path.clone());
        self.directory(&dir, &path, &below, depth + 1)?;
        if kind.is_none() && self.found.len() == before + 1 {
            self.found.pop();
        }
        Ok(())
    }

    fn file(&mut self, dir: &OwnedFd, path: PathBuf, name: &OsStr, stat: &Stat, under: &Below) {
        match under {
            Below::Nothing if stat.st_size == 0 && is_regular(stat) && self.is_ours(&path) => {}
            Below::Nothing => self.note(ChangeKind::Added, path),
            Below::File(old, place) if same_file(stat, old) => {
                let here = PathBuf::from(format!("/proc/self/fd/{}", dir.as_raw_fd())).join(name);
                if is_regular(stat) && capability(&here) != capability(place) {
                    self.note(ChangeKind::Changed, path);
                }
            }
            _ => self.note(ChangeKind::Changed, path),
        }
    }

    /// An opaque directory hides everything below it: what is not there again is deleted.
    fn hidden(&mut self, present: &[OsString], path: &Path, below: &[PathBuf]) -> io::Result<()> {
        for name in names_below(below)? {
            if !present.contains(&name) && !matches!(look_below(below, &name)?, Below::Nothing) {
                self.note(ChangeKind::Deleted, path.join(name));
            }
        }
        Ok(())
    }

    fn removed(&mut self, path: PathBuf, under: &Below) {
        if !matches!(under, Below::Nothing) {
            self.note(ChangeKind::Deleted, path);
        }
    }

    fn is_ours(&self, path: &Path) -> bool {
        self.made.contains(path) || MADE_BY_US.iter().any(|ours| path == Path::new(ours))
    }

    fn note(&mut self, kind: ChangeKind, path: PathBuf) {
        self.found.push(Change { kind, path });
    }
}

/// Names in a directory, in order.
pub(super) fn names(dir: &OwnedFd) -> io::Result<Vec<OsString>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(dir)? {
        let entry = entry?;
        let name: &CStr = entry.file_name();
        if name != c"." && name != c".." {
            names.push(OsStr::from_bytes(name.to_bytes()).to_owned());
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// The names that `folders` of layers have, without their marks of removed files.
pub(crate) fn names_below(folders: &[PathBuf]) -> io::Result<BTreeSet<OsString>> {
    let mut names = BTreeSet::new();
    for folder in folders {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            if !(is_mark(&name) && entry.file_type()?.is_file()) {
                names.insert(name);
            }
        }
    }
    Ok(names)
}

/// What `name` is in folders that show through, highest first.
pub(crate) fn look_below(below: &[PathBuf], name: &OsStr) -> io::Result<Below> {
    let mut first = None;
    let mut folders = Vec::new();
    for folder in below {
        let place = folder.join(name);
        let stat = match lstat(&place) {
            Err(Errno::NOENT) if hides_by_name(folder, name) => break,
            Err(Errno::NOENT) => continue,
            outcome => outcome?,
        };
        if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
            if first.is_none() && !is_whiteout(&stat) {
                return Ok(Below::File(stat, place));
            }
            break;
        }
        let opaque = is_opaque_at(&place) || hides_by_name(folder, name);
        first.get_or_insert(stat);
        folders.push(place);
        if opaque {
            break;
        }
    }
    Ok(first.map_or(Below::Nothing, |stat| Below::Directory(stat, folders)))
}

pub(super) fn is_regular(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
}

pub(super) fn same_meta(new: &Stat, old: &Stat) -> bool {
    (new.st_mode, new.st_uid, new.st_gid) == (old.st_mode, old.st_uid, old.st_gid)
}

fn same_file(new: &Stat, old: &Stat) -> bool {
    let rest = |stat: &Stat| (stat.st_rdev, stat.st_size, stat.st_mtime, stat.st_mtime_nsec);
    same_meta(new, old) && rest(new) == rest(old)
}

/// The file's capabilities, as stored.
fn capability(path: &Path) -> Option<Vec<u8>> {
    let mut value = [0u8; 64];
    let n = rustix::fs::lgetxattr(path, "security.capability", &mut value[..]).ok()?;
    Some(value[..n].to_vec())
}

#[cfg(test)]
#[path = "changes_tests.rs"]
mod tests;
