//! Layers that are mounted, in the mount namespace of a child.

use std::path::PathBuf;

use coracle_image::{Digest, Layer};
use coracle_runtime::Stack;

use super::super::error::StepError;
use super::super::workshop::Workshop;

/// Mounts of this process are its own from here on.
pub(in crate::exec) fn leave() -> Result<(), StepError> {
    coracle_sys::mount::leave_namespace()
        .map_err(|error| StepError::internal("make a mount namespace", &error))
}

/// Layers that are mounted, with a folder for what is written.
pub(in crate::exec) struct Mounted {
    stack: Stack,
    pub(in crate::exec) target: PathBuf,
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // The namespace ends with the process, and the mount with that.
        drop(Stack::unmount(&self.target));
    }
}

impl Mounted {
    pub(in crate::exec) fn new(
        workshop: &Workshop,
        layers: &[Digest],
        folder: PathBuf,
    ) -> Result<Self, StepError> {
        let failed = |error| StepError::internal("mount a root filesystem", &error);
        let target = folder.join("merged");
        std::fs::create_dir_all(&target)
            .map_err(|error| StepError::internal("make a folder", &error))?;
        let stack = Stack::new(workshop.folders(layers), folder, workshop.storage());
        let stack = stack.map_err(failed)?;
        stack.mount(&target).map_err(failed)?;
        Ok(Self { stack, target })
    }

    pub(in crate::exec) fn take_down(self) -> Result<(), StepError> {
        Stack::unmount(&self.target)
            .map_err(|error| StepError::internal("take a root filesystem down", &error))
    }

    pub(super) fn layer(&self, workshop: &Workshop) -> Result<Layer, StepError> {
        let failed = |error| StepError::internal("make a layer", &error);
        Stack::unmount(&self.target).map_err(failed)?;
        let written = self.stack.written().map_err(failed)?;
        Ok(workshop.store.adopt_folder(&written, &|_| false)?)
    }
}
