//! Copies single files with everything that belongs to them.
//!
//! Owner, mode, extended attributes and times are kept. Content shares its blocks with the
//! original where the file system can do that; holes stay holes.
//!
//! # Limits
//!
//! Device nodes are left out where we may not make them. Attributes that only the host's
//! administrator sets are left out.

use std::ffi::{CStr, OsStr};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use coracle_sys::file_content;
use rustix::fs::{
    AtFlags, FileType, Gid, Mode, OFlags, Stat, Timespec, Timestamps, Uid, XattrFlags, openat,
};
use rustix::io::Errno;

/// Size limit of the kernel for the names of all attributes, and for one value (xattr(7)).
const XATTR_BYTES_MAX: usize = 64 * 1024;

/// Copies files, one at a time.
#[derive(Default)]
pub(crate) struct Nodes {
    /// Space for names of attributes.
    names: Vec<u8>,
    /// Space for one value.
    value: Vec<u8>,
}

impl Nodes {
    /// Copies `name` of the directory `from`, which is no directory itself and is described
    /// by `stat`, to `copy` in `to`. False: it is a device that we may not make.
    pub(crate) fn copy(
        &mut self,
        from: BorrowedFd<'_>,
        name: &CStr,
        to: BorrowedFd<'_>,
        copy: &CStr,
        stat: &Stat,
    ) -> io::Result<bool> {
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => copy_content(from, name, to, copy)?,
            FileType::Symlink => {
                let leads_to = rustix::fs::readlinkat(from, name, Vec::new())?;
                rustix::fs::symlinkat(leads_to, to, copy)?;
            }
            kind => match rustix::fs::mknodat(to, copy, kind, Mode::RUSR, stat.st_rdev) {
                // Only the kernel's own root may make devices.
                Err(Errno::PERM) => return Ok(false),
                outcome => outcome?,
            },
        }
        self.attributes(&descriptor_path(from, name), to, copy, stat)?;
        Ok(true)
    }

    /// Gives `name` in `to` what `stat` and the extended attributes of `from` say.
    pub(crate) fn attributes(
        &mut self,
        from: &Path,
        to: BorrowedFd<'_>,
        name: &CStr,
        stat: &Stat,
    ) -> io::Result<()> {
        let nofollow = AtFlags::SYMLINK_NOFOLLOW;
        let (uid, gid) = (Uid::from_raw(stat.st_uid), Gid::from_raw(stat.st_gid));
        // Before the mode and capabilities, which a change of owner would clear.
        rustix::fs::chownat(to, name, Some(uid), Some(gid), nofollow)?;
        self.extended_attributes(from, &descriptor_path(to, name))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::Symlink {
            set_mode(to, name, stat.st_mode & 0o7777)?;
        }
        let time = |seconds, nanos: u64| Timespec {
            tv_sec: seconds,
            tv_nsec: i64::try_from(nanos).unwrap_or(0),
        };
        let times = Timestamps {
            last_access: time(stat.st_atime, stat.st_atime_nsec),
            last_modification: time(stat.st_mtime, stat.st_mtime_nsec),
        };
        Ok(rustix::fs::utimensat(to, name, &times, nofollow)?)
    }

    fn extended_attributes(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.names.resize(XATTR_BYTES_MAX, 0);
        self.value.resize(XATTR_BYTES_MAX, 0);
        let length = match rustix::fs::llistxattr(from, self.names.as_mut_slice()) {
            Err(Errno::NOTSUP) => 0,
            outcome => outcome?,
        };
        for name in self.names[..length].split(|byte| *byte == 0) {
            // What overlayfs remembers means nothing in a plain directory.
            if name.is_empty() || name.starts_with(b"user.overlay.") {
                continue;
            }
            let length = rustix::fs::lgetxattr(from, name, self.value.as_mut_slice())?;
            match rustix::fs::lsetxattr(to, name, &self.value[..length], XattrFlags::empty()) {
                // Attributes that belong to the host's administrator, as labels of SELinux.
                Ok(()) | Err(Errno::NOTSUP | Errno::PERM) => {}
                // A list of access rights that names ids which are not mapped.
                Err(Errno::INVAL) if name.starts_with(b"system.posix_acl_") => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }
}

/// A path to `name` through the open directory, for calls that take no descriptor.
pub(crate) fn descriptor_path(dir: BorrowedFd<'_>, name: &CStr) -> PathBuf {
    Path::new("/proc/self/fd")
        .join(dir.as_raw_fd().to_string())
        .join(OsStr::from_bytes(name.to_bytes()))
}

/// As `fchmodat(2)`, but never through a symlink that somebody put there.
fn set_mode(dir: BorrowedFd<'_>, name: &CStr, mode: u32) -> io::Result<()> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let handle = openat(dir, name, flags, Mode::empty())?;
    let found = rustix::fs::fstat(&handle)?;
    if FileType::from_raw_mode(found.st_mode) == FileType::Symlink {
        return Err(Errno::LOOP.into());
    }
    let path = format!("/proc/self/fd/{}", handle.as_raw_fd());
    Ok(rustix::fs::chmod(path, Mode::from_raw_mode(mode))?)
}

fn copy_content(
    from: BorrowedFd<'_>,
    name: &CStr,
    to: BorrowedFd<'_>,
    copy: &CStr,
) -> io::Result<()> {
    let read = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let source = File::from(openat(from, name, read, Mode::empty())?);
    let write = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let copy = File::from(openat(to, copy, write, Mode::RUSR | Mode::WUSR)?);
    file_content::copy_content(&source, &copy, &rustix::fs::fstat(&source)?).map(drop)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::fd::AsFd;
    use std::os::unix::fs::{FileExt, MetadataExt};

    use super::*;

    #[test]
    fn holes_stay_holes() {
        let temp = tempfile::tempdir().unwrap();
        let file = File::create(temp.path().join("sparse")).unwrap();
        file.write_all_at(b"tail", 64 << 20).unwrap();
        file.set_len(128 << 20).unwrap();
        let dir = File::open(temp.path()).unwrap();
        let stat = rustix::fs::fstat(&file).unwrap();
        let copied = Nodes::default().copy(dir.as_fd(), c"sparse", dir.as_fd(), c"copy", &stat);
        assert!(copied.unwrap());
        let copy = fs::metadata(temp.path().join("copy")).unwrap();
        assert_eq!(copy.len(), 128 << 20);
        assert!(copy.blocks() * 512 < 1 << 20, "{} blocks", copy.blocks());
        let mut tail = [0; 5];
        let copy = File::open(temp.path().join("copy")).unwrap();
        copy.read_exact_at(&mut tail, 64 << 20).unwrap();
        assert_eq!(&tail, b"tail\0");
    }
}
