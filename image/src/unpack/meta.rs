//! Owner, mode, attributes and time of what was created.
//!
//! The order matters: a change of owner clears setuid bits and capabilities, so the
//! mode and the attributes come after it; writing changes the time, so that is last.

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{
    AtFlags, Gid, Mode, Timespec, Timestamps, Uid, XattrFlags, chownat, fchmod, fchown, fsetxattr,
    futimens, lsetxattr, utimensat,
};
use rustix::io::Errno;

use super::error::UnpackError;
use super::tree::descriptor_path;
use crate::limits::NOTES_MAX;
use crate::tar::Entry;

/// Holds `uid:gid` where the owner itself cannot be set.
pub const OWNER_XATTR: &str = "user.coracle.owner";

#[derive(Debug, Clone, Copy, Default)]
pub struct UnpackOptions {
    /// Only one user id is mapped: wanted owners are recorded in an attribute instead.
    pub one_id: bool,
}

/// Attributes that mean something to overlayfs or to us, which no archive may set.
const RESERVED: [&str; 3] = ["user.overlay.", "trusted.overlay.", "user.coracle."];

const ACL: &str = "system.posix_acl_";

type Result<T> = std::result::Result<T, UnpackError>;

/// Remarks for the user, not too many.
#[derive(Debug, Default)]
pub(super) struct Notes {
    lines: Vec<String>,
    more: usize,
}

impl Notes {
    pub(super) fn add(&mut self, line: String) {
        if self.lines.len() < NOTES_MAX {
            self.lines.push(line);
        } else {
            self.more += 1;
        }
    }

    pub(super) fn finish(mut self) -> Vec<String> {
        if self.more > 0 {
            self.lines.push(format!("and {} more", self.more));
        }
        self.lines
    }
}

/// Applies metadata as the options allow.
pub(super) struct Meta {
    pub(super) options: UnpackOptions,
    pub(super) notes: Notes,
}

impl Meta {
    /// Everything but the time, through an open file or directory.
    pub(super) fn apply(&mut self, fd: impl AsFd, entry: &Entry) -> Result<()> {
        let fd = fd.as_fd();
        let (uid, gid) = ids(entry)?;
        match fchown(fd, Some(uid), Some(gid)) {
            Ok(()) => {}
            Err(Errno::INVAL | Errno::PERM) => {
                let owner = self.unmapped(entry)?;
                fsetxattr(fd, OWNER_XATTR, owner.as_bytes(), XattrFlags::empty())
                    .map_err(failed("record the owner of", entry))?;
            }
            Err(errno) => return Err(failed("set the owner of", entry)(errno)),
        }
        fchmod(fd, Mode::from_raw_mode(entry.mode)).map_err(failed("set the mode of", entry))?;
        for (name, value) in &entry.xattrs {
            if self.may_set(name, entry) {
                let outcome = fsetxattr(fd, name.as_str(), value, XattrFlags::empty());
                self.note_xattr(outcome, name, entry)?;
            }
        }
        Ok(())
    }

    /// Everything but mode and time, for what cannot be opened: symlinks and FIFOs.
    pub(super) fn apply_at(&mut self, parent: &OwnedFd, name: &[u8], entry: &Entry) -> Result<()> {
        let (uid, gid) = ids(entry)?;
        match chownat(parent, name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(()) => {}
            // Symlinks carry no `user.` attributes: their owner is lost, which nothing sees.
            Err(Errno::INVAL | Errno::PERM) => drop(self.unmapped(entry)?),
            Err(errno) => return Err(failed("set the owner of", entry)(errno)),
        }
        for (key, value) in &entry.xattrs {
            if self.may_set(key, entry) {
                let path = descriptor_path(parent, name);
                let outcome = lsetxattr(&path, key.as_str(), value, XattrFlags::empty());
                self.note_xattr(outcome, key, entry)?;
            }
        }
        Ok(())
    }

    /// The owner as text where one id is mapped; an error elsewhere.
    fn unmapped(&self, entry: &Entry) -> Result<String> {
        if self.options.one_id {
            return Ok(format!("{}:{}", entry.uid, entry.gid));
        }
        Err(UnpackError::Owner { entry: entry.shown(), uid: entry.uid, gid: entry.gid })
    }

    fn may_set(&mut self, name: &str, entry: &Entry) -> bool {
        let reserved = RESERVED.iter().any(|prefix| name.starts_with(prefix));
        if reserved {
            self.notes.add(format!("{}: attribute {} left out", entry.shown(), shown(name)));
        }
        !reserved
    }

    fn note_xattr(
        &mut self,
        outcome: rustix::io::Result<()>,
        name: &str,
        entry: &Entry,
    ) -> Result<()> {
        match outcome {
            Ok(()) => Ok(()),
            Err(Errno::PERM | Errno::NOTSUP | Errno::ACCESS) => {
                let line =
                    format!("{}: attribute {} is not allowed here", entry.shown(), shown(name));
                self.notes.add(line);
                Ok(())
            }
            // A list of access rights that names ids which are not mapped.
            Err(Errno::INVAL) if name.starts_with(ACL) => {
                let line = format!("{}: its access list names others than it may", entry.shown());
                self.notes.add(line);
                Ok(())
            }
            Err(errno) => Err(failed("set an attribute of", entry)(errno)),
        }
    }
}

fn shown(name: &str) -> String {
    crate::tar::printable(name.as_bytes())
}

/// Ids the kernel can hold; `u32::MAX` would mean "leave as it is".
fn ids(entry: &Entry) -> Result<(Uid, Gid)> {
    let id = |n: u64| u32::try_from(n).ok().filter(|n| *n != u32::MAX);
    match (id(entry.uid), id(entry.gid)) {
        (Some(uid), Some(gid)) => Ok((Uid::from_raw(uid), Gid::from_raw(gid))),
        _ => Err(UnpackError::Owner { entry: entry.shown(), uid: entry.uid, gid: entry.gid }),
    }
}

fn times((seconds, nanos): (i64, u32)) -> Timestamps {
    let time = Timespec { tv_sec: seconds, tv_nsec: nanos.into() };
    Timestamps { last_access: time, last_modification: time }
}

pub(super) fn set_time(fd: impl AsFd, mtime: (i64, u32)) -> rustix::io::Result<()> {
    futimens(fd, &times(mtime))
}

pub(super) fn set_time_at(parent: &OwnedFd, name: &[u8], entry: &Entry) -> Result<()> {
    utimensat(parent, name, &times(entry.mtime), AtFlags::SYMLINK_NOFOLLOW)
        .map_err(failed("set the time of", entry))
}

/// For `map_err`: names the step and the entry.
pub(super) fn failed<E: Into<std::io::Error>>(
    doing: &'static str,
    entry: &Entry,
) -> impl FnOnce(E) -> UnpackError {
    move |source| UnpackError::Apply { doing, entry: entry.shown(), source: source.into() }
}
