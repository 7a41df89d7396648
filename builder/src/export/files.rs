//! The files of a result, as a folder or an archive.

use std::fs::File;
use std::io::Write;
use std::os::fd::AsFd;
use std::path::Path;

use coracle_image::pack::{PackOptions, Times, pack};

use super::error::ExportError;
use crate::files::{Owner, Placement, Selectors, Tree, select};

/// Copies the files of the root filesystem `root` into `target`, which is made if it is not there, for the caller: they
/// are his, whosever they were. What is there and has no namesake stays; what has one goes, whatever it is. Gives the
/// bytes of what was copied.
///
/// # Errors
/// When something cannot be read or written, or is a device.
pub(crate) fn folder(
    root: &Path,
    target: &Path,
    epoch: Option<i64>,
    one_id: bool,
) -> Result<u64, ExportError> {
    let failed = |why| ExportError::Folder { path: target.to_owned(), why };
    std::fs::create_dir_all(target).map_err(failed)?;
    let target = File::open(target).map_err(failed)?;
    let tree = Tree::root_filesystem(root)?;
    let all = select(&tree, &Selectors { pattern: "/", exclude: &[], parents: false })?;
    let placement = Placement {
        destination: "/".to_owned(),
        owner: Some(Owner::default()),
        mode: None,
        time: epoch,
        one_id,
        replaces: true,
    };
    Ok(all.copy_into(target.as_fd(), &placement)?.bytes)
}

/// Writes the files of the root filesystem `root` as an archive, with their owners.
///
/// # Errors
/// When something cannot be read or written.
pub(crate) fn archive(
    root: &Path,
    out: &mut dyn Write,
    epoch: Option<i64>,
) -> Result<(), ExportError> {
    let times = epoch.map_or(Times::Kept, Times::All);
    pack(root, out, PackOptions { times, ..PackOptions::default() })?;
    Ok(())
}
