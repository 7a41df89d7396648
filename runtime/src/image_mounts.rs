//! Images that a container mounts: `--mount type=image`.
//!
//! The image is mounted where only we see it, and the part that is wanted is opened beneath it, so
//! that no symlink of the image leads out.

use std::os::fd::OwnedFd;
use std::path::Path;

use crate::error::EngineError;
use crate::model::{Container, ContainerMount};
use crate::paths::{Paths, make_private};
use crate::rootfs::{MountedImage, distinct, layer_files};
use crate::volumes::{VolumeError, open_beneath};

/// Mounts the image of the mount `number` on `place`.
pub(crate) fn mount(
    paths: &Paths,
    layers: &Path,
    container: &Container,
    number: usize,
    place: &Path,
) -> Result<(), EngineError> {
    let mount = &container.mounts[number];
    let name = &mount.point.name;
    let files = |layer| layer_files(layers, layer);
    let stack = distinct(mount.layers.iter().map(files));
    if let Some(layer) = stack.iter().find(|layer| !layer.is_dir()) {
        let layer = layer.display();
        return Err(EngineError::Refuse(format!(
            "layer {layer} of image {name} is missing: pull the image again"
        )));
    }
    let folder = paths.container(&container.id).join("images").join(number.to_string());
    make_private(&folder)?;
    let image = MountedImage { layers: stack, folder, storage: container.storage };
    image.mount(place).map_err(EngineError::syscall(format!("mount image {name}")))
}

/// Opens (O_PATH) the part that is wanted of an image that is mounted on `place`.
pub(crate) fn open(place: &Path, mount: &ContainerMount) -> Result<OwnedFd, VolumeError> {
    let part = if mount.subpath.is_empty() { "." } else { &mount.subpath };
    open_beneath(place, Path::new(part))
}

/// Opens (O_PATH) the part of an image that the mount `number` shows. The image stays mounted
/// in the namespace of the caller.
pub(crate) fn view(
    paths: &Paths,
    layers: &Path,
    container: &Container,
    number: usize,
) -> Result<OwnedFd, EngineError> {
    let own = paths.container(&container.id).join("images").join(number.to_string());
    let place = own.join("view");
    make_private(&place)?;
    mount(paths, layers, container, number, &place)?;
    Ok(open(&place, &container.mounts[number])?)
}
