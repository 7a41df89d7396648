//! Where files go to in a root filesystem, and the folders on the way.

use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{
    AtFlags, FileType, Gid, Mode, OFlags, Timespec, Timestamps, Uid, XattrFlags, chownat, fchmod,
    fchown, fsetxattr, fstat, mkdirat, statat,
};
use rustix::io::Errno;

use super::error::{FilesError, shown};
use super::mode::ModeChange;
use super::owner::Owner;
use super::resolve::{open_plain, parts, resolve};
use super::{Result, limits};

/// Where to, and what changes on the way.
#[derive(Debug, Clone, Default)]
pub struct Placement {
    /// Absolute; a slash at its end, or `/.`, means a folder.
    pub destination: String,
    /// `--chown`.
    pub owner: Option<Owner>,
    /// `--chmod`.
    pub mode: Option<ModeChange>,
    /// Seconds: all that is copied is as old.
    pub time: Option<i64>,
    /// Owners are written down in an attribute where they cannot be set.
    pub one_id: bool,
    /// A file takes the place of a folder with all that is in it, and a folder that of anything: a folder of the caller's
    /// is written, as `BuildKit`'s client does. Without it, that is refused.
    pub replaces: bool,
}

/// Makes a folder with those above it, as `WORKDIR` does; whether there was none.
///
/// # Errors
/// A part of the path is no folder, or it cannot be made.
pub fn make_folder(
    root: BorrowedFd<'_>,
    path: &str,
    owner: Option<Owner>,
    one_id: bool,
) -> Result<bool> {
    let placement = Placement { owner, one_id, ..Placement::default() };
    let found = follow(root, path.as_bytes())?;
    make_folders(root, &found, &placement).map(|(_, is_new)| is_new)
}

/// `..` taken out of a destination before any link is looked at; a slash or a `/.` at its end is kept.
pub(super) fn cleaned(path: &[u8]) -> Vec<u8> {
    let mut out: Vec<&[u8]> = Vec::new();
    for part in parts(path) {
        if part == b".." {
            out.pop();
        } else {
            out.push(part);
        }
    }
    let mut cleaned = [b"/".as_slice(), &out.join(&b'/')].concat();
    if cleaned.len() > 1 && (path.ends_with(b"/") || path.ends_with(b"/.")) {
        cleaned.push(b'/');
    }
    cleaned
}

/// Where a path leads in `root`, whether it is there or not.
pub(super) fn follow(root: BorrowedFd<'_>, path: &[u8]) -> Result<Vec<u8>> {
    match resolve(root, path, true, &|_| true) {
        Ok(found) => Ok(found.path),
        Err(Errno::LOOP) => Err(FilesError::LinksInCircle { path: shown(path) }),
        Err(errno) => Err(FilesError::io("look for", path)(errno)),
    }
}

/// Opens a folder by its path without links, and makes what is missing; whether something was.
pub(super) fn make_folders(
    root: BorrowedFd<'_>,
    path: &[u8],
    placement: &Placement,
) -> Result<(OwnedFd, bool)> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY;
    match open_plain(root, path, flags) {
        Ok(folder) => return Ok((folder, false)),
        Err(Errno::NOENT) => {}
        Err(errno) => return Err(not_a_folder(path, errno)),
    }
    let mut at = open_plain(root, b"", flags).map_err(FilesError::io("open", b""))?;
    let mut end = 0;
    for (depth, part) in parts(path).enumerate() {
        if depth > limits::FOLDER_DEPTH_MAX * 2 {
            return Err(FilesError::TooDeep { path: shown(path) });
        }
        end += part.len() + usize::from(end > 0);
        let name = CString::new(part).map_err(|_| FilesError::io("make", path)(Errno::INVAL))?;
        let is_new = match mkdirat(&at, &name, Mode::from_raw_mode(0o700)) {
            Ok(()) => true,
            Err(Errno::EXIST) => false,
            Err(errno) => return Err(FilesError::io("make", &path[..end])(errno)),
        };
        at = open_child(at.as_fd(), &name).map_err(|errno| not_a_folder(&path[..end], errno))?;
        if is_new {
            let mode = ModeChange::of_new_folders(placement.mode.as_ref());
            let owner = placement.owner.unwrap_or_default();
            set_owner(at.as_fd(), owner, placement.one_id)
                .map_err(FilesError::owner(owner, &path[..end]))?;
            fchmod(&at, Mode::from_raw_mode(mode))
                .map_err(FilesError::io("set the mode of", &path[..end]))?;
        }
    }
    Ok((at, true))
}

fn not_a_folder(path: &[u8], errno: Errno) -> FilesError {
    match errno {
        Errno::NOTDIR | Errno::LOOP => FilesError::NotAFolder { path: shown(path) },
        errno => FilesError::io("open", path)(errno),
    }
}

/// Opens a folder in a folder; never what a link leads to.
pub(super) fn open_child(
    parent: BorrowedFd<'_>,
    name: &std::ffi::CStr,
) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(parent, name, flags, Mode::empty())
}

/// Gives an open file to its owner, or writes it down where that cannot be done.
pub(super) fn set_owner(
    file: BorrowedFd<'_>,
    owner: Owner,
    one_id: bool,
) -> rustix::io::Result<()> {
    let found = fstat(file)?;
    if (found.st_uid, found.st_gid) == (owner.uid, owner.gid) {
        return Ok(());
    }
    match fchown(file, Some(Uid::from_raw(owner.uid)), Some(Gid::from_raw(owner.gid))) {
        Err(Errno::INVAL | Errno::PERM) if one_id => {
            let text = format!("{}:{}", owner.uid, owner.gid);
            let name = coracle_image::unpack::OWNER_XATTR;
            fsetxattr(file, name, text.as_bytes(), XattrFlags::empty())
        }
        outcome => outcome,
    }
}

/// The same for what cannot be opened. Links carry no attributes: their owner is lost, which nothing sees.
pub(super) fn set_owner_at(
    parent: BorrowedFd<'_>,
    name: &std::ffi::CStr,
    owner: Owner,
    one_id: bool,
) -> rustix::io::Result<()> {
    let (uid, gid) = (Uid::from_raw(owner.uid), Gid::from_raw(owner.gid));
    match chownat(parent, name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::INVAL | Errno::PERM) if one_id => Ok(()),
        outcome => outcome,
    }
}

pub(super) fn times(seconds: i64, nanos: u64) -> Timestamps {
    let time = Timespec { tv_sec: seconds, tv_nsec: i64::try_from(nanos).unwrap_or(0) };
    Timestamps { last_access: time, last_modification: time }
}

/// What is at a name, if anything is.
pub(super) fn kind_at(
    parent: BorrowedFd<'_>,
    name: &std::ffi::CStr,
) -> rustix::io::Result<Option<FileType>> {
    match statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(FileType::from_raw_mode(stat.st_mode))),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(errno),
    }
}
