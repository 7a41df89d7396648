//! A root filesystem that is a copy of the image's layers.
//!
//! ```text
//! containers/ID/copy/     the files
//!              copied     made after them: what changed since is younger
//!              copy.part/ while it is made; debris after a crash
//! ```

use std::fs::{self, File};
use std::path::Path;

use coracle_sys::SyscallError;
use coracle_sys::error::Context;
use rustix::mount::MountFlags;

use super::flatten::flatten;
use super::{Overlay, at};
use crate::volumes::remove_tree;

pub(super) const COPY: &str = "copy";
pub(super) const MARK: &str = "copied";
const PART: &str = "copy.part";

/// Whether the container in `folder` lives in a copy.
pub(crate) fn has_copy(folder: &Path) -> bool {
    folder.join(COPY).is_dir()
}

impl Overlay {
    /// Binds the copy on `target`, and makes it first if there is none.
    pub(super) fn mount_copy(&self, target: &Path) -> Result<(), SyscallError> {
        let copy = self.folder.join(COPY);
        if !copy.is_dir() {
            self.make_copy(&copy)?;
        }
        rustix::mount::mount(&copy, target, c"", MountFlags::BIND, None)
            .call(|| format!("mount({} on {}, MS_BIND)", copy.display(), target.display()))
    }

    pub(super) fn make_copy(&self, copy: &Path) -> Result<(), SyscallError> {
        let part = self.folder.join(PART);
        remove_tree(&part).map_err(|error| at(&part, std::io::Error::other(error)))?;
        fs::create_dir(&part).call(|| format!("mkdir({})", part.display()))?;
        flatten(&self.layers, &part)?;
        let mark = self.folder.join(MARK);
        File::create(&mark).call(|| format!("creat({})", mark.display()))?;
        fs::rename(&part, copy).call(|| format!("rename({})", copy.display()))
    }
}
