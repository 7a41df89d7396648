//! The root filesystem of a container: an overlay of its image's layers, or a copy of them.
//!
//! # How it works
//!
//! [`Overlay::mount`] tries overlayfs. Where the kernel refuses it in a user namespace, or
//! the container's folder is on a file system that cannot be written through it (another
//! overlay, NFS), the layers are copied once into the container's folder and that folder is
//! bound in place. So are layers whose marks of removed files overlayfs does not read.
//! Having a copy, a container keeps it. [`Overlay::written`] shows what such
//! a container wrote in the form overlayfs would have left.

mod copied;
mod flatten;
mod image;
mod overlay;
mod stack;
mod written;

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use coracle_image::Digest;
use coracle_sys::SyscallError;
use coracle_sys::error::Context;
use rustix::io::Errno;
use rustix::mount::UnmountFlags;

pub(crate) use copied::has_copy;
pub(crate) use image::MountedImage;
pub use stack::Stack;
pub use written::Written;

use crate::model::{Container, Storage};
use crate::paths::Paths;

/// What is stacked on what.
#[derive(Debug)]
pub(crate) struct Overlay {
    /// Folders of the layers, lowest first; all in one parent folder.
    pub(crate) layers: Vec<PathBuf>,
    /// The container's own folder, in which the rest is.
    pub(crate) folder: PathBuf,
    pub(crate) upper: PathBuf,
    pub(crate) work: PathBuf,
    /// The upper folder is thrown away afterwards: nothing needs to reach the disk.
    pub(crate) volatile: bool,
    pub(crate) storage: Storage,
}

/// What is to be stacked of `layers`, lowest first: each once. One that occurs twice (two steps that changed nothing have
/// the same) counts where it lies highest, for there it hides whatever its lower copy could give; overlayfs refuses to be
/// given it twice.
pub(crate) fn distinct(layers: impl DoubleEndedIterator<Item = PathBuf>) -> Vec<PathBuf> {
    let mut seen = HashSet::new();
    let mut kept: Vec<PathBuf> = layers.rev().filter(|layer| seen.insert(layer.clone())).collect();
    kept.reverse();
    kept
}

/// Where the files of a layer are; `layers` is where all of them are.
pub(crate) fn layer_files(layers: &Path, layer: &Digest) -> PathBuf {
    layers.join(layer.hex()).join("diff")
}

impl Overlay {
    /// That of a container, mounted or not; `layers` is where those of images are.
    pub(crate) fn of(paths: &Paths, layers: &Path, container: &Container) -> Self {
        let folder = paths.container(&container.id);
        let files = |layer| layer_files(layers, layer);
        let mut stack = distinct(container.layers.iter().map(files));
        if stack.is_empty() {
            stack.push(folder.join("empty"));
        }
        Self {
            layers: stack,
            upper: folder.join("upper"),
            work: folder.join("work"),
            volatile: container.host_config.auto_remove || container.is_step,
            storage: container.storage,
            folder,
        }
    }

    /// Mounts the root filesystem on `target`; returns what the user should know.
    ///
    /// # Errors
    /// When neither an overlay nor a copy can be had.
    pub(crate) fn mount(&self, target: &Path) -> Result<Option<String>, SyscallError> {
        let wants_copy = self.storage == Storage::Copy && self.is_unwritten();
        if has_copy(&self.folder) || wants_copy {
            self.mount_copy(target)?;
            return Ok(None);
        }
        match self.mount_overlay(target) {
            Ok(()) => Ok(None),
            Err(error)
                if self.storage != Storage::Overlay
                    && is_refusal(&error)
                    && self.is_unwritten() =>
            {
                self.mount_copy(target)?;
                Ok(Some(format!(
                    "no overlay here ({error}: {}): the files of the image are copied for each \
                     container",
                    error.source
                )))
            }
            Err(error) => Err(error),
        }
    }

    /// The container never wrote through an overlay.
    fn is_unwritten(&self) -> bool {
        fs::read_dir(&self.upper).is_ok_and(|mut entries| entries.next().is_none())
    }
}

/// Whether the error says that this kernel or file system does no overlay for us.
fn is_refusal(error: &SyscallError) -> bool {
    [
        Errno::PERM,
        Errno::ACCESS,
        Errno::NODEV,
        Errno::NOSYS,
        Errno::INVAL,
        Errno::NOTSUP,
        Errno::ROFS,
        Errno::STALE,
    ]
    .iter()
    .any(|errno| error.errno() == Some(errno.raw_os_error()))
}

/// Takes the root filesystem down; nothing mounted is fine.
///
/// # Errors
/// As `umount2(2)`.
pub(crate) fn unmount(target: &Path) -> Result<(), SyscallError> {
    match rustix::mount::unmount(target, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW) {
        Err(Errno::INVAL | Errno::NOENT) => Ok(()),
        result => result.call(|| format!("umount2({}, MNT_DETACH)", target.display())),
    }
}

/// Refuses a root in which a mount of ours would go elsewhere: device nodes are made by
/// names below `/dev`, outside of the container.
pub(crate) fn check_places(root: &Path) -> Result<(), String> {
    for place in ["proc", "sys", "dev"] {
        let found = fs::symlink_metadata(root.join(place));
        if found.is_ok_and(|found| !found.is_dir()) {
            return Err(format!("/{place} of the image is not a directory"));
        }
    }
    Ok(())
}

/// For errors of whole trees, which name the path themselves.
fn at(path: &Path, source: io::Error) -> SyscallError {
    SyscallError { call: format!("copy {}", path.display()), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_that_occurs_twice_counts_where_it_lies_highest() {
        let of = |names: &[&str]| distinct(names.iter().map(PathBuf::from));
        let paths = |names: &[&str]| names.iter().map(PathBuf::from).collect::<Vec<_>>();
        assert_eq!(of(&["base", "a", "gone", "a"]), paths(&["base", "gone", "a"]));
        assert_eq!(of(&["base", "empty", "empty"]), paths(&["base", "empty"]));
    }

    #[test]
    fn a_root_whose_dev_leads_elsewhere_is_refused() {
        let temp = tempfile::tempdir().unwrap();
        assert_eq!(check_places(temp.path()), Ok(()));
        fs::create_dir(temp.path().join("proc")).unwrap();
        assert_eq!(check_places(temp.path()), Ok(()));
        std::os::unix::fs::symlink("/tmp", temp.path().join("dev")).unwrap();
        let refused = Err("/dev of the image is not a directory".to_owned());
        assert_eq!(check_places(temp.path()), refused);
    }
}
