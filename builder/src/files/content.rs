//! One file: opened, and whether it stays what it was.

use std::fs::File;

use rustix::fs::{FileType, Mode, OFlags, Stat, fstat, openat};
use rustix::io::Errno;

use super::Result;
use super::error::{FilesError, shown};
use super::limits::FILE_BYTES_MAX;
use super::walk::Found;

/// Opens a file that was just looked at, and nothing else that took its place, and looks at it; `None` when it went away
/// meanwhile.
pub(super) fn open_file(found: &Found<'_>) -> Result<Option<(File, Stat)>> {
    // Without waiting, should it be a pipe by now.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match openat(found.parent, found.name, flags, Mode::empty()) {
        Err(Errno::NOENT) => return Ok(None),
        Err(Errno::LOOP | Errno::NXIO) => {
            return Err(FilesError::Changed { path: shown(found.path) });
        }
        file => File::from(file.map_err(FilesError::io("open", found.path))?),
    };
    let stat = fstat(&file).map_err(FilesError::io("look at", found.path))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(FilesError::Changed { path: shown(found.path) });
    }
    if stat.st_size.unsigned_abs() > FILE_BYTES_MAX {
        return Err(FilesError::TooLarge { path: shown(found.path) });
    }
    Ok(Some((file, stat)))
}

/// Whether nobody wrote in between, as far as times tell.
pub(super) fn is_same(one: &Stat, other: &Stat) -> bool {
    let facts = |stat: &Stat| {
        let written = (stat.st_mtime, stat.st_mtime_nsec, stat.st_ctime, stat.st_ctime_nsec);
        (stat.st_dev, stat.st_ino, stat.st_size, written)
    };
    facts(one) == facts(other)
}
