//! Files as another process names them, and the owner recorded for each.
//!
//! # How it works
//!
//! A path is looked up in the caller's root (the kernel keeps it in there), relative to
//! the caller's folder. The descriptor that comes out is only a handle (`O_PATH`).
//! The owner is an extended attribute, `uid:gid` in decimal, as unpacking writes it.
//!
//! # Limits
//!
//! The kernel keeps `user.` attributes on regular files and folders alone: the owner of a
//! link, a device or a socket is not recorded. Below `/proc` nothing is, nor on a tmpfs before
//! Linux 6.6.

use std::ffi::CString;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, ResolveFlags, Uid, XattrFlags};
use rustix::io::Errno;

/// Where a path without root starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base {
    WorkingFolder,
    Descriptor(i32),
}

const OWNER_XATTR: &str = "user.coracle.owner";
const PROC_SUPER_MAGIC: u64 = 0x9fa0;
/// Two decimal numbers and a colon.
const OWNER_BYTES_MAX: usize = 32;

/// The open file `number` of the process.
pub(super) fn descriptor(pid: i32, number: i32) -> Result<OwnedFd, Errno> {
    handle(&format!("/proc/{pid}/fd/{number}"), OFlags::empty())
}

fn handle(path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
    rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC | flags, Mode::empty())
}

/// Looks `path` up as process `pid` would. A link at its end is followed with `follow`.
pub(super) fn resolve(pid: i32, base: Base, path: &[u8], follow: bool) -> Result<OwnedFd, Errno> {
    let flags = if follow { OFlags::empty() } else { OFlags::NOFOLLOW };
    let open = |folder: BorrowedFd<'_>, path: &[u8], how: ResolveFlags| {
        let path = CString::new(path).map_err(|_| Errno::INVAL)?;
        let flags = OFlags::PATH | OFlags::CLOEXEC | flags;
        rustix::fs::openat2(folder, path, flags, Mode::empty(), how)
    };
    if path.first() == Some(&b'/') {
        let root = handle(&format!("/proc/{pid}/root"), OFlags::DIRECTORY)?;
        open(root.as_fd(), path, ResolveFlags::IN_ROOT)
    } else {
        let link = match base {
            Base::WorkingFolder => format!("/proc/{pid}/cwd"),
            Base::Descriptor(number) => format!("/proc/{pid}/fd/{number}"),
        };
        let folder = handle(&link, OFlags::empty())?;
        match open(folder.as_fd(), path, ResolveFlags::BENEATH) {
            Err(Errno::XDEV) => {
                // It leaves the folder, by `..` or an absolute link: from the root, then.
                let root = handle(&format!("/proc/{pid}/root"), OFlags::DIRECTORY)?;
                let mut whole = rustix::fs::readlink(link, Vec::new())?.into_bytes();
                whole.push(b'/');
                whole.extend(path);
                open(root.as_fd(), &whole, ResolveFlags::IN_ROOT)
            }
            other => other,
        }
    }
}

/// Whether a file is in `/proc`, where `self` led to us and not to the caller.
pub(super) fn is_in_proc(file: BorrowedFd<'_>) -> bool {
    rustix::fs::fstatfs(file).is_ok_and(|found| u64::try_from(found.f_type) == Ok(PROC_SUPER_MAGIC))
}

/// Attributes cannot be reached through a handle itself, only through its name.
fn name_of(file: BorrowedFd<'_>) -> String {
    format!("/proc/self/fd/{}", file.as_raw_fd())
}

/// The owner on record.
pub(crate) fn recorded_owner(file: BorrowedFd<'_>) -> Option<(u32, u32)> {
    let mut text = [0u8; OWNER_BYTES_MAX];
    let length = rustix::fs::getxattr(name_of(file), OWNER_XATTR, &mut text[..]).ok()?;
    parse_owner(text.get(..length)?)
}

fn parse_owner(text: &[u8]) -> Option<(u32, u32)> {
    let (uid, gid) = std::str::from_utf8(text).ok()?.split_once(':')?;
    Some((uid.parse().ok()?, gid.parse().ok()?))
}

/// Puts an owner on record; root needs none.
pub(crate) fn record_owner(file: BorrowedFd<'_>, owner: (u32, u32)) -> Result<(), Errno> {
    // The kernel's own call clears the set-user-id bits and says when it was.
    match rustix::fs::chownat(file, c"", Some(Uid::ROOT), Some(Gid::ROOT), AtFlags::EMPTY_PATH) {
        // Not our user's file: reached through a mount of the host's.
        Err(Errno::PERM | Errno::INVAL) | Ok(()) => {}
        Err(errno) => return Err(errno),
    }
    let done = if owner == (0, 0) {
        rustix::fs::removexattr(name_of(file), OWNER_XATTR)
    } else {
        write_record(&name_of(file), owner)
    };
    match done {
        Err(errno @ (Errno::ROFS | Errno::IO | Errno::NOSPC | Errno::DQUOT)) => Err(errno),
        // A link or a device (EPERM), a file system without attributes, nothing to remove.
        _ => Ok(()),
    }
}

/// Whether the kernel keeps records on files of this kind.
pub(super) fn keeps_records(file: BorrowedFd<'_>) -> bool {
    let kind = rustix::fs::fstat(file).map(|found| FileType::from_raw_mode(found.st_mode));
    matches!(kind, Ok(FileType::RegularFile | FileType::Directory))
}

/// Puts the owner of a file that was just made on record, where records are kept.
pub(super) fn put_record(file: BorrowedFd<'_>, owner: (u32, u32)) {
    write_record(&name_of(file), owner).ok();
}

/// The same for what this process calls `path`.
pub(super) fn put_record_at(path: &str, owner: (u32, u32)) {
    write_record(path, owner).ok();
}

fn write_record(name: &str, owner: (u32, u32)) -> Result<(), Errno> {
    let text = format!("{}:{}", owner.0, owner.1);
    rustix::fs::setxattr(name, OWNER_XATTR, text.as_bytes(), XattrFlags::empty())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn me() -> i32 {
        i32::try_from(std::process::id()).unwrap()
    }

    #[test]
    fn owners_are_recorded_and_forgotten() {
        let folder = tempfile::tempdir_in(".").unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "x").unwrap();
        let file = handle(path.to_str().unwrap(), OFlags::empty()).unwrap();
        assert_eq!(recorded_owner(file.as_fd()), None);
        record_owner(file.as_fd(), (42, 65_534)).unwrap();
        assert_eq!(recorded_owner(file.as_fd()), Some((42, 65_534)));
        record_owner(file.as_fd(), (0, 0)).unwrap();
        assert_eq!(recorded_owner(file.as_fd()), None);
        assert_eq!(parse_owner(b"1:2:3"), None);
    }

    #[test]
    fn paths_of_a_process() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "x").unwrap();
        symlink(folder.path().join("file"), folder.path().join("absolute")).unwrap();
        symlink("nowhere", folder.path().join("dangling")).unwrap();
        let opened = fs::File::open(folder.path()).unwrap();
        let base = Base::Descriptor(opened.as_raw_fd());
        let inode = |path: &[u8], follow| {
            resolve(me(), base, path, follow).map(|fd| rustix::fs::fstat(fd).unwrap().st_ino)
        };
        let file = inode(b"file", true).unwrap();
        assert_eq!(inode(b"absolute", true), Ok(file));
        assert_ne!(inode(b"absolute", false), Ok(file));
        let up = format!("../{}/file", folder.path().file_name().unwrap().to_str().unwrap());
        assert_eq!(inode(up.as_bytes(), true), Ok(file));
        assert_eq!(inode(b"dangling", true), Err(Errno::NOENT));
        assert_eq!(inode(b"/proc/self/exe", true), Err(Errno::XDEV));
        let uptime = resolve(me(), base, b"/proc/uptime", true).unwrap();
        assert!(is_in_proc(uptime.as_fd()) && !is_in_proc(opened.as_fd()));
    }
}
