//! A root filesystem of no container: layers, with a folder for what is written above them.
//!
//! Whoever has one decides where it is mounted, and takes it down; what is in its folder is not kept on the disk for
//! certain.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use coracle_sys::SyscallError;
use coracle_sys::error::Context;

use super::{Overlay, Written};
use crate::model::Storage;

/// Layers and a folder that what is written goes to.
#[derive(Debug)]
pub struct Stack {
    overlay: Overlay,
}

impl Stack {
    /// Puts `layers`, lowest first, below a new `folder`.
    ///
    /// # Errors
    /// When folders cannot be made.
    pub fn new(
        layers: Vec<PathBuf>,
        folder: PathBuf,
        storage: Storage,
    ) -> Result<Self, SyscallError> {
        let make = |path: &Path| {
            fs::create_dir_all(path).call(|| format!("mkdir({})", path.display()))?;
            let mode = fs::Permissions::from_mode(0o755);
            fs::set_permissions(path, mode).call(|| format!("chmod({})", path.display()))
        };
        let mut layers = super::distinct(layers.into_iter());
        let (upper, work) = (folder.join("upper"), folder.join("work"));
        make(&upper)?;
        make(&work)?;
        if layers.is_empty() {
            layers.push(folder.join("empty"));
            make(&layers[0])?;
        }
        Ok(Self { overlay: Overlay { layers, folder, upper, work, volatile: true, storage } })
    }

    /// Mounts it on `target`; returns what the user should know.
    ///
    /// # Errors
    /// When neither an overlay nor a copy can be had.
    pub fn mount(&self, target: &Path) -> Result<Option<String>, SyscallError> {
        self.overlay.mount(target)
    }

    /// What was written, in the form overlayfs gives it.
    ///
    /// # Errors
    /// When it cannot be compared with the layers.
    pub fn written(&self) -> Result<Written, SyscallError> {
        self.overlay.written()
    }

    /// Takes down what is mounted on `target`; nothing is fine.
    ///
    /// # Errors
    /// As `umount2(2)`.
    pub fn unmount(target: &Path) -> Result<(), SyscallError> {
        super::unmount(target)
    }
}
