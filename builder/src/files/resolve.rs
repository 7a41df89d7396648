//! Paths with links to paths without, inside a root.
//!
//! # How it works
//!
//! Part by part: what was found so far has no links, and is opened with links forbidden. An absolute link begins at the
//! root again, `..` at the root stays there.

use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, fstat, openat2, readlinkat};
use rustix::io::Errno;

use super::limits::{LINKS_MAX, PATH_BYTES_MAX};

/// Where a path leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Resolved {
    /// Below the root, without links, `.` and `..`; empty for the root.
    pub(super) path: Vec<u8>,
    /// Bytes of `path` that are there; all of them if it is there.
    pub(super) present: usize,
}

impl Resolved {
    pub(super) fn is_there(&self) -> bool {
        self.present == self.path.len()
    }
}

/// Resolves `path` inside `root`. What is not there is taken as it is written.
///
/// `follows_last`: a link at the end is followed. `sees`: what it denies and is no folder is not there.
pub(super) fn resolve(
    root: BorrowedFd<'_>,
    path: &[u8],
    follows_last: bool,
    sees: &dyn Fn(&[u8]) -> bool,
) -> Result<Resolved, Errno> {
    let mut todo: Vec<Vec<u8>> = parts(path).rev().map(<[u8]>::to_vec).collect();
    let mut done: Vec<u8> = Vec::new();
    let mut present = 0;
    let mut links = 0;
    while let Some(part) = todo.pop() {
        if part == b".." {
            done.truncate(done.iter().rposition(|b| *b == b'/').unwrap_or(0));
            present = present.min(done.len());
            continue;
        }
        let before = done.len();
        let was_there = present == before;
        if !done.is_empty() {
            done.push(b'/');
        }
        done.extend_from_slice(&part);
        if done.len() > PATH_BYTES_MAX {
            return Err(Errno::NAMETOOLONG);
        }
        if !was_there {
            continue;
        }
        let found = match open_plain(root, &done, OFlags::PATH) {
            Err(Errno::NOENT | Errno::NOTDIR) => continue,
            found => found?,
        };
        let kind = FileType::from_raw_mode(fstat(&found)?.st_mode);
        // Of a folder that is left out, something may be there all the same.
        if kind != FileType::Directory && !sees(&done) {
            continue;
        }
        let is_link = kind == FileType::Symlink;
        if !is_link || (todo.is_empty() && !follows_last) {
            present = done.len();
            continue;
        }
        links += 1;
        if links > LINKS_MAX {
            return Err(Errno::LOOP);
        }
        let target = readlinkat(&found, "", Vec::new())?.into_bytes();
        done.truncate(if target.first() == Some(&b'/') { 0 } else { before });
        present = done.len();
        todo.extend(parts(&target).rev().map(<[u8]>::to_vec));
        if todo.len() > PATH_BYTES_MAX {
            return Err(Errno::NAMETOOLONG);
        }
    }
    Ok(Resolved { path: done, present })
}

/// Opens what is at a path without links; a link at its end is opened itself.
pub(super) fn open_plain(
    root: BorrowedFd<'_>,
    path: &[u8],
    flags: OFlags,
) -> Result<OwnedFd, Errno> {
    let path: &[u8] = if path.is_empty() { b"." } else { path };
    let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_SYMLINKS;
    let path = CString::new(path).map_err(|_| Errno::INVAL)?;
    loop {
        match openat2(root.as_fd(), &path, flags, Mode::empty(), resolve) {
            // Something was renamed elsewhere meanwhile; the kernel asks to try again.
            Err(Errno::AGAIN | Errno::INTR) => {}
            outcome => return outcome,
        }
    }
}

/// Parts of a path, without those that say nothing.
pub(super) fn parts(path: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    path.split(|b| *b == b'/').filter(|part| !matches!(*part, b"" | b"."))
}

/// The folder of a path without links, and its last part.
pub(super) fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|b| *b == b'/') {
        Some(at) => (&path[..at], &path[at + 1..]),
        None => (b"", path),
    }
}

/// A path below another; each may be empty.
pub(super) fn join(above: &[u8], below: &[u8]) -> Vec<u8> {
    let mut out = above.to_vec();
    if !out.is_empty() && !below.is_empty() {
        out.push(b'/');
    }
    out.extend_from_slice(below);
    out
}
