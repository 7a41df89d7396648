//! Marks in an unpacked layer of what it removes from the layers below.
//!
//! # How it works
//!
//! Overlayfs, mounted with `userxattr`, reads a character device 0:0 in the place of a
//! removed file, and [`OPAQUE_XATTR`] at a directory that hides what is below it. Where one
//! of them cannot be made (the files are on an overlay themselves, the file system has no
//! attributes, a filter refuses `mknod(2)`) the mark is an empty file with the name it has
//! in archives: `.wh.NAME`, or `.wh..wh..opq` in the directory. Such a mark holds for the
//! layers below, whatever its own layer has at that name.
//!
//! # Limits
//!
//! Overlayfs does not read marks by name: a layer that has them can only be copied, which
//! [`MARKED_BY_NAME`] beside its directory tells.

use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, XattrFlags, mknodat, openat, statat};
use rustix::io::{Errno, Result};

/// Marks a directory that hides everything below it in lower layers.
pub const OPAQUE_XATTR: &str = "user.overlay.opaque";

/// A file of this name lies beside the directory of a layer that has marks by name.
pub const MARKED_BY_NAME: &str = "marked-by-name";

/// Prefix of a whiteout entry's name.
pub(crate) const WHITEOUT: &[u8] = b".wh.";

/// Name of the entry that makes its directory opaque.
pub(crate) const WHITEOUT_OPAQUE: &[u8] = b".wh..wh..opq";

/// How a mark was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// As overlayfs reads it.
    Kernel,
    ByName,
}

/// Hides `name`, where nothing is in `dir`, in the layers below.
///
/// # Errors
/// As `mknod(2)` and `open(2)`.
pub fn hide(dir: impl AsFd, name: &[u8]) -> Result<Mark> {
    let dir = dir.as_fd();
    match mknodat(dir, name, FileType::CharacterDevice, Mode::empty(), 0) {
        Ok(()) => Ok(Mark::Kernel),
        Err(errno) if is_refusal(errno) => by_name(dir, &[WHITEOUT, name].concat()),
        Err(errno) => Err(errno),
    }
}

/// Hides what lower layers have in `dir`.
///
/// # Errors
/// As `setxattr(2)` and `open(2)`.
pub fn set_opaque(dir: impl AsFd) -> Result<Mark> {
    let dir = dir.as_fd();
    match rustix::fs::fsetxattr(dir, OPAQUE_XATTR, b"y", XattrFlags::empty()) {
        Ok(()) => Ok(Mark::Kernel),
        Err(errno) if is_refusal(errno) => by_name(dir, WHITEOUT_OPAQUE),
        Err(errno) => Err(errno),
    }
}

fn by_name(dir: BorrowedFd<'_>, name: &[u8]) -> Result<Mark> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(dir, name, flags, Mode::RUSR | Mode::WUSR)?;
    Ok(Mark::ByName)
}

/// Whether the error says that marks of this kind cannot be made here.
fn is_refusal(errno: Errno) -> bool {
    matches!(
        errno,
        Errno::PERM
            | Errno::ACCESS
            | Errno::NOSYS
            | Errno::NOTSUP
            | Errno::INVAL
            | Errno::NODEV
            | Errno::NXIO
    )
}

/// Whether this is overlayfs's mark of a removed file.
#[must_use]
pub fn is_whiteout(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice && stat.st_rdev == 0
}

/// Whether a regular file of this name in a layer is a mark.
#[must_use]
pub fn is_mark(name: &OsStr) -> bool {
    name.as_bytes().starts_with(WHITEOUT)
}

/// What a mark by this name hides.
#[must_use]
pub fn hidden_by(name: &OsStr) -> Option<&OsStr> {
    let name = name.as_bytes();
    let hidden = name.strip_prefix(WHITEOUT).filter(|_| name != WHITEOUT_OPAQUE)?;
    Some(OsStr::from_bytes(hidden))
}

/// Whether the layer that has `folder` hides `name` by a mark with a name.
#[must_use]
pub fn hides_by_name(folder: &Path, name: &OsStr) -> bool {
    let mark = [WHITEOUT, name.as_bytes()].concat();
    is_regular(rustix::fs::lstat(folder.join(OsStr::from_bytes(&mark))))
}

/// Whether the directory hides what lower layers have in it.
#[must_use]
pub fn is_opaque(dir: impl AsFd) -> bool {
    let (dir, mut value) = (dir.as_fd(), [0u8; 4]);
    rustix::fs::fgetxattr(dir, OPAQUE_XATTR, &mut value[..]).is_ok_and(|n| value[..n] == *b"y")
        || is_regular(statat(dir, WHITEOUT_OPAQUE, AtFlags::SYMLINK_NOFOLLOW))
}

/// As [`is_opaque`], by name.
#[must_use]
pub fn is_opaque_at(path: &Path) -> bool {
    let mut value = [0u8; 4];
    rustix::fs::lgetxattr(path, OPAQUE_XATTR, &mut value[..]).is_ok_and(|n| value[..n] == *b"y")
        || is_regular(rustix::fs::lstat(path.join(OsStr::from_bytes(WHITEOUT_OPAQUE))))
}

fn is_regular(found: Result<Stat>) -> bool {
    found.is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile)
}
