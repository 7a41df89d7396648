//! Remove a container, with everything that belongs to it alone.

use super::Engine;
use crate::error::EngineError;
use crate::model::{Container, MountType};
use crate::paths::Paths;
use crate::records::Records;
use crate::session::Session;
use crate::volumes::{VolumeError, Volumes, remove_tree};

/// How to remove.
#[derive(Clone, Copy, Debug, Default)]
pub struct RemoveOptions {
    /// End a running container first.
    pub force: bool,
    /// Remove its anonymous volumes too.
    pub volumes: bool,
}

impl Engine {
    /// Removes a container.
    ///
    /// # Errors
    /// When it runs and `force` is not set, or files cannot be removed.
    pub fn remove(
        &self,
        _session: &Session,
        id: &str,
        options: RemoveOptions,
    ) -> Result<(), EngineError> {
        let container = self.records.load(id)?;
        let life = self.records.life(id)?;
        let status = life.state.status;
        if status.is_running() || life.live_monitor().is_some() {
            // A monitor without a running container is about to start it or to end.
            if !options.force && status.is_running() {
                return Err(EngineError::RemoveRunning {
                    name: container.name,
                    status: status.to_string(),
                });
            }
            self.stop(id, Some(crate::signals::SIGKILL), Some(0))?;
        }
        // With `--rm` the monitor was faster.
        let Ok(written) = self.records.life_as_written(id) else { return Ok(()) };
        if self.paths.running(id).exists() {
            crate::monitor::take_down(&self.paths, id, &written)?;
        }
        remove_files(&self.paths, &self.records, &container, options.volumes)?;
        self.events.container(&container, "destroy", &[]);
        Ok(())
    }
}

/// Removes the record first, so that the container is gone whole even if we die here,
/// then its files. What is left is swept when the next container is created.
pub(crate) fn remove_files(
    paths: &Paths,
    records: &Records,
    container: &Container,
    volumes: bool,
) -> Result<(), EngineError> {
    {
        let lock = records.lock()?;
        records.forget(&lock, container)?;
    }
    let folder = paths.container(&container.id);
    let removed = remove_tree(&folder).map_err(EngineError::from);
    if volumes {
        let kept = Volumes::new(paths.volumes());
        for mount in &container.mounts {
            if mount.anonymous && mount.point.kind == MountType::Volume {
                match kept.remove(&mount.point.name, true, |volume| users(records, &volume.name)) {
                    // Another container took it over with `--volumes-from`.
                    Ok(_) | Err(VolumeError::InUse { .. }) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
    }
    removed
}

/// The ids of the containers that have a volume of that name.
pub(crate) fn users(records: &Records, volume: &str) -> Vec<String> {
    let has = |id: &String| {
        records.load(id).is_ok_and(|container| {
            let mut points = container.mounts.iter().map(|mount| &mount.point);
            points.any(|point| point.kind == MountType::Volume && point.name == volume)
        })
    };
    records.ids().unwrap_or_default().into_iter().filter(has).collect()
}
