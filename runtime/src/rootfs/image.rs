//! The files of an image that a container mounts beside its own root, read-only.
//!
//! An overlay of the layers alone, above an empty folder, because overlayfs wants two. Where
//! that cannot be had they are copied once for the container, as its root is.

use std::fs;
use std::path::{Path, PathBuf};

use coracle_sys::SyscallError;
use coracle_sys::error::Context;

use super::{Overlay, is_refusal, overlay};
use crate::model::Storage;

/// An image and where a copy of it goes.
#[derive(Debug)]
pub(crate) struct MountedImage {
    /// Folders of the layers, lowest first.
    pub(crate) layers: Vec<PathBuf>,
    /// The folder of this mount in the container's own.
    pub(crate) folder: PathBuf,
    pub(crate) storage: Storage,
}

impl MountedImage {
    /// Mounts the files on `target`. A copy is mounted as it is: that nobody writes to it is
    /// for the mount in the container to see to.
    ///
    /// # Errors
    /// When neither an overlay nor a copy can be had.
    pub(crate) fn mount(&self, target: &Path) -> Result<(), SyscallError> {
        let mut stack = vec![self.folder.join("empty")];
        fs::create_dir_all(&stack[0]).call(|| format!("mkdir({})", stack[0].display()))?;
        stack.extend(self.layers.iter().cloned());
        if stack.len() == 1 {
            // An image of nothing: the folder below the target is as empty as it.
            return Ok(());
        }
        if self.storage == Storage::Copy || super::has_copy(&self.folder) {
            return self.copy(stack).mount_copy(target);
        }
        match overlay::mount_layers(&stack, target) {
            Err(error) if self.storage != Storage::Overlay && is_refusal(&error) => {
                self.copy(stack).mount_copy(target)
            }
            outcome => outcome,
        }
    }

    fn copy(&self, layers: Vec<PathBuf>) -> Overlay {
        Overlay {
            layers,
            folder: self.folder.clone(),
            // A copy has no use for them.
            upper: PathBuf::new(),
            work: PathBuf::new(),
            volatile: false,
            storage: self.storage,
        }
    }
}
