//! What a container leaves when it goes: its record, its folder, its anonymous volumes.
//!
//! A command removes a container, and so does the monitor of one that removes itself.

use std::path::Path;

use crate::error::EngineError;
use crate::model::{Container, MountType};
use crate::paths::Paths;
use crate::records::{RecordError, Records};
use crate::volumes::{Volume, VolumeError, Volumes, remove_tree};

/// Removes the record first, so that the container is gone whole even if we die here,
/// then its files. What is left is swept when the next container is created.
///
/// # Errors
/// [`RecordError::NotFound`] when somebody was faster; or when files cannot be removed.
pub(crate) fn remove_files(
    paths: &Paths,
    records: &Records,
    container: &Container,
    volumes: bool,
) -> Result<(), EngineError> {
    let folder = {
        let lock = records.lock()?;
        records.forget(&lock, container)?
    };
    remove_rest(paths, records, container, &folder, volumes)
}

/// Removes what is left of a container that no longer exists.
pub(crate) fn remove_rest(
    paths: &Paths,
    records: &Records,
    container: &Container,
    folder: &Path,
    volumes: bool,
) -> Result<(), EngineError> {
    // Those of a container that was never started.
    let delivered = crate::delivered::remove(paths, &container.id)
        .map_err(EngineError::io("remove delivered files"));
    let removed = remove_tree(folder).map_err(EngineError::from).and(delivered);
    if volumes {
        let kept = Volumes::new(paths.volumes());
        for mount in &container.mounts {
            if mount.anonymous && mount.point.kind == MountType::Volume {
                let list = records.lock()?;
                let users = |volume: &Volume| volume_users(records, &volume.name);
                match kept.remove(list, &mount.point.name, true, users) {
                    // Another container took it over with `--volumes-from`.
                    Ok(_) | Err(VolumeError::InUse { .. }) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
    }
    removed
}

/// The ids of the containers that have a volume of that name, or may have it: what a record
/// that cannot be read names is not removed under it.
pub(crate) fn volume_users(records: &Records, volume: &str) -> Vec<String> {
    let has = |id: &String| match records.load(id) {
        Ok(container) => {
            let mut points = container.mounts.iter().map(|mount| &mount.point);
            points.any(|point| point.kind == MountType::Volume && point.name == volume)
        }
        Err(RecordError::NotFound { .. }) => false,
        Err(_) => records.mentions(id, volume),
    };
    records.ids().unwrap_or_default().into_iter().filter(has).collect()
}
