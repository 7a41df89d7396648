//! Volumes and images of a container that starts: volumes are mounted where they are in memory,
//! and filled from the image where they are new.

use std::io;
use std::os::fd::AsFd;
use std::path::Path;

use crate::error::EngineError;
use crate::events::{Events, Kind};
use crate::model::{Container, MountPoint, MountType};
use crate::paths::Paths;
use crate::start::failure::{Failure, NOT_FOUND};
use crate::volumes::{Hold, VolumeError, Volumes, copy_up};

/// The container with the folders that its volumes and images have at this moment, and what keeps
/// them; `layers` is where those of images are.
///
/// Its root filesystem is mounted: new volumes are filled from it.
pub(super) fn attach(
    paths: &Paths,
    layers: &Path,
    container: &Container,
) -> Result<(Container, Vec<Hold>), EngineError> {
    let mut ready = container.clone();
    let mut holds = Vec::new();
    let volumes = Volumes::new(paths.volumes());
    let root = paths.merged(&container.id);
    for (number, mount) in ready.mounts.iter_mut().enumerate() {
        if mount.point.kind == MountType::Image {
            let source = super::images::hold(paths, layers, container, number)?;
            mount.point.source = source.display().to_string();
        }
        if mount.point.kind != MountType::Volume {
            continue;
        }
        let volume = volumes.get(&mount.point.name)?;
        let (attached, hold) = volumes.attach(&volume.name)?;
        holds.extend(hold);
        if mount.copy_up {
            copy_up(&volume, &attached.path, &root, Path::new(&mount.point.destination))?;
        }
        mount.point.rw &= !attached.read_only;
        let source = if mount.subpath.is_empty() {
            attached.path
        } else {
            let subpath = std::mem::take(&mut mount.subpath);
            let part = volume.subpath(Path::new(&subpath)).map_err(no_subpath)?;
            super::subpaths::hold(&paths.bundle(&container.id), number, part.as_fd())
                .map_err(EngineError::io(format!("mount {subpath} of volume {}", volume.name)))?
        };
        mount.point.source = source.display().to_string();
    }
    Ok((ready, holds))
}

fn of_volumes(container: &Container) -> impl Iterator<Item = &MountPoint> {
    let points = container.mounts.iter().map(|mount| &mount.point);
    points.filter(|point| point.kind == MountType::Volume)
}

/// Records that the volumes of a container that starts are mounted.
pub(super) fn tell_mounted(events: &Events, container: &Container) {
    for point in of_volumes(container) {
        let writable = point.rw.to_string();
        let attributes = [
            ("container", container.id.as_str()),
            ("destination", &point.destination),
            ("driver", &point.driver),
            ("propagation", &point.propagation),
            ("read/write", &writable),
        ];
        events.object(Kind::Volume, "mount", &point.name, &attributes);
    }
}

/// Records that the volumes of a container that has ended are not mounted any more.
pub(super) fn tell_unmounted(events: &Events, container: &Container) {
    for point in of_volumes(container) {
        let attributes = [("container", container.id.as_str()), ("driver", &point.driver)];
        events.object(Kind::Volume, "unmount", &point.name, &attributes);
    }
}

/// The words and the exit code for a folder that a volume or image lacks are Docker's.
pub(super) fn no_subpath(error: VolumeError) -> EngineError {
    match error {
        VolumeError::Subpath { path, source } if source.kind() == io::ErrorKind::NotFound => {
            let path = path.display();
            let text =
                format!("cannot access path {path}: lstat {path}: no such file or directory");
            EngineError::Start(Failure::new(NOT_FOUND, text))
        }
        other => other.into(),
    }
}

/// Lets go of the volumes of a container, and of what those in memory held that nobody else uses.
pub(super) fn release(paths: &Paths, container: &Container, holds: Vec<Hold>) {
    drop(holds);
    let volumes = Volumes::new(paths.volumes());
    for point in of_volumes(container) {
        // One that is still busy is let go of when the volume is removed.
        volumes.release(&point.name).ok();
    }
}
