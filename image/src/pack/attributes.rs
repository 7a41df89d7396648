//! Attributes of what is packed: those that an archive carries, and those of a mounted overlay.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{flistxattr, fremovexattr};
use rustix::io::Errno;

use crate::tar::Head;
use crate::unpack::{OPAQUE_XATTR, OWNER_XATTR};

/// What overlayfs notes in its upper folder.
const OVERLAY: &str = "user.overlay.";

/// With these, a file or folder of the upper folder is not all there: its rest is in another layer.
const PARTIAL: [&str; 2] = ["user.overlay.metacopy", "user.overlay.redirect"];

/// Attributes an archive carries, and the owner that could only be recorded.
///
/// `strips`: those that only a mounted overlay needs are taken off.
pub(super) fn add_attributes(fd: impl AsFd, head: &mut Head, strips: bool) -> io::Result<()> {
    let fd = fd.as_fd();
    let names = names(fd)?;
    let all = names.split(|b| *b == 0).filter_map(|name| std::str::from_utf8(name).ok());
    let (overlay, others): (Vec<_>, Vec<_>) = all.partition(|name| name.starts_with(OVERLAY));
    if strips {
        strip(fd, &overlay)?;
    }
    let mut kept = others;
    kept.retain(|name| name.starts_with("user.") || *name == "security.capability");
    kept.sort_unstable();
    for name in kept {
        let Some(value) = get_xattr(fd, name)? else { continue };
        if name != OWNER_XATTR {
            head.xattrs.push((name.to_owned(), value));
        } else if let Some((uid, gid)) = parse_owner(&value) {
            (head.uid, head.gid) = (uid, gid);
        }
    }
    Ok(())
}

/// Takes off what overlayfs noted for itself; what hides things below stays.
fn strip(fd: BorrowedFd<'_>, names: &[&str]) -> io::Result<()> {
    for name in names.iter().filter(|name| **name != OPAQUE_XATTR) {
        if PARTIAL.contains(name) {
            return Err(io::Error::other(format!("`{name}` says that a part of it is elsewhere")));
        }
        fremovexattr(fd, *name)?;
    }
    Ok(())
}

/// The names, each with a zero after it.
fn names(fd: BorrowedFd<'_>) -> io::Result<Vec<u8>> {
    let mut names = vec![0; 1024];
    loop {
        match flistxattr(fd, names.as_mut_slice()) {
            Ok(len) => {
                names.truncate(len);
                return Ok(names);
            }
            Err(Errno::RANGE) if names.len() < 64 * 1024 => names.resize(names.len() * 2, 0),
            Err(Errno::NOTSUP) => return Ok(Vec::new()),
            Err(errno) => return Err(errno.into()),
        }
    }
}

fn parse_owner(value: &[u8]) -> Option<(u32, u32)> {
    let (uid, gid) = std::str::from_utf8(value).ok()?.split_once(':')?;
    Some((uid.parse().ok()?, gid.parse().ok()?))
}

pub(super) fn get_xattr(fd: impl AsFd, name: &str) -> io::Result<Option<Vec<u8>>> {
    let fd = fd.as_fd();
    let mut value = vec![0; 256];
    loop {
        match rustix::fs::fgetxattr(fd, name, value.as_mut_slice()) {
            Ok(len) => {
                value.truncate(len);
                return Ok(Some(value));
            }
            Err(Errno::RANGE) if value.len() < 64 * 1024 => value.resize(value.len() * 2, 0),
            Err(Errno::NODATA | Errno::NOTSUP) => return Ok(None),
            Err(errno) => return Err(errno.into()),
        }
    }
}
