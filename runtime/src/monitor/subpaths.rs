//! Parts of volumes and images that a container mounts, held still while it starts.
//!
//! A path inside a volume means nothing for long: another container that has the volume may
//! put a symlink in its place, and the mount would show the host. So what was resolved
//! beneath the volume is bound, by its descriptor, to a place that only we can write, and
//! the container is given that place.

use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType};
use rustix::mount::{MoveMountFlags, OpenTreeFlags};

/// The folder of the places, in the runtime folder of the container.
const FOLDER: &str = "subpaths";

/// Where the mount `number` is held while its container runs.
pub(crate) fn place(running: &Path, number: usize) -> PathBuf {
    running.join(FOLDER).join(number.to_string())
}

/// A folder of its own for a mount that goes with the places. One of the last run is gone.
pub(super) fn folder_for(running: &Path, name: &str) -> io::Result<PathBuf> {
    let place = running.join(FOLDER).join(name);
    release_one(&place)?;
    fs::create_dir_all(&place)?;
    Ok(place)
}

/// Binds what `part` is open on to the place `number` in the runtime folder `running`.
///
/// # Errors
/// As `open_tree(2)` and `move_mount(2)`.
pub(super) fn hold(running: &Path, number: usize, part: BorrowedFd<'_>) -> io::Result<PathBuf> {
    let place = place(running, number);
    fs::create_dir_all(running.join(FOLDER))?;
    // Of the last run, when this is a restart: the volume may have changed since.
    release_one(&place)?;
    if FileType::from_raw_mode(rustix::fs::fstat(part)?.st_mode) == FileType::Directory {
        fs::create_dir(&place)?;
    } else {
        fs::File::create(&place)?;
    }
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_EMPTY_PATH
        | OpenTreeFlags::AT_RECURSIVE;
    let tree = rustix::mount::open_tree(part, "", flags)?;
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
    rustix::mount::move_mount(tree.as_fd(), "", CWD, &place, flags)?;
    Ok(place)
}

/// Takes all places away; none is fine.
///
/// # Errors
/// As `umount2(2)` and `unlink(2)`.
pub(super) fn release(running: &Path) -> io::Result<()> {
    let folder = running.join(FOLDER);
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    for entry in entries {
        release_one(&entry?.path())?;
    }
    fs::remove_dir(&folder)
}

/// Takes one place away; none is fine.
pub(super) fn release_one(place: &Path) -> io::Result<()> {
    crate::rootfs::unmount(place).map_err(|error| error.source)?;
    let removed = match fs::symlink_metadata(place) {
        Ok(found) if found.is_dir() => fs::remove_dir(place),
        Ok(_) => fs::remove_file(place),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
