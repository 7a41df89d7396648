//! Images that a running container mounts.
//!
//! What [`crate::image_mounts`] opens is held as parts of volumes are, and the image itself is
//! unmounted.

use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use super::subpaths;
use crate::error::EngineError;
use crate::image_mounts::{mount, open};
use crate::model::Container;
use crate::paths::Paths;

/// Makes the part of an image that the mount `number` shows a source for the container.
pub(super) fn hold(
    paths: &Paths,
    layers: &Path,
    container: &Container,
    number: usize,
) -> Result<PathBuf, EngineError> {
    let mounted = &container.mounts[number];
    let bundle = paths.bundle(&container.id);
    let doing = || EngineError::io(format!("mount image {}", mounted.point.name));
    let place = subpaths::folder_for(&bundle, &format!("{number}.image")).map_err(doing())?;
    mount(paths, layers, container, number, &place)?;
    let part = open(&place, mounted).map_err(super::volumes::no_subpath);
    let held = part.and_then(|part| subpaths::hold(&bundle, number, part.as_fd()).map_err(doing()));
    subpaths::release_one(&place).map_err(doing())?;
    held
}
