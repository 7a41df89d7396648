//! Removes a folder with all that is in it: beneath a handle, and never through a link.

use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{AtFlags, unlinkat};
use rustix::io::{Errno, Result};

use super::limits;
use super::listing::Listing;
use super::place::open_child;

/// Removes the folder `name` in `parent`.
pub(super) fn remove_folder(parent: BorrowedFd<'_>, name: &CStr) -> Result<()> {
    remove(parent, name, 0)
}

fn remove(parent: BorrowedFd<'_>, name: &CStr, depth: usize) -> Result<()> {
    if depth > limits::FOLDER_DEPTH_MAX {
        return Err(Errno::NAMETOOLONG);
    }
    let folder = open_child(parent, name)?;
    let listing = Listing::read(folder.as_fd())?;
    for index in 0..listing.len() {
        let name = listing.get(index);
        match unlinkat(&folder, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(Errno::ISDIR) => remove(folder.as_fd(), name, depth + 1)?,
            Err(errno) => return Err(errno),
        }
    }
    unlinkat(parent, name, AtFlags::REMOVEDIR)
}
