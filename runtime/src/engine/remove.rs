//! Remove a container, with everything that belongs to it alone.

use super::{Ending, Engine};
use crate::error::EngineError;
use crate::model::{Container, MountType};
use crate::paths::Paths;
use crate::records::{RecordError, Records};
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

/// A container that is about to be removed, and may have to end before.
#[derive(Debug)]
#[must_use = "finish it"]
pub struct Removing {
    container: Container,
    ending: Option<Ending>,
    volumes: bool,
    /// Its record or state cannot be read.
    damaged: bool,
}

impl Engine {
    /// Removes a container.
    ///
    /// # Errors
    /// When it runs and `force` is not set, or files cannot be removed.
    pub fn remove(
        &self,
        session: &Session,
        id: &str,
        options: RemoveOptions,
    ) -> Result<(), EngineError> {
        let removing = self.begin_remove(id, options)?;
        self.finish_remove(session, removing)
    }

    /// Checks that a container may be removed, and begins to end it if it runs.
    ///
    /// # Errors
    /// When it runs and `force` is not set.
    pub fn begin_remove(&self, id: &str, options: RemoveOptions) -> Result<Removing, EngineError> {
        let known = self.records.load(id).and_then(|known| Ok((known, self.records.life(id)?)));
        let (container, life) = match known {
            Err(RecordError::Damaged { id, .. }) if options.force => {
                let container = self.what_is_left(&id);
                let volumes = options.volumes;
                return Ok(Removing { container, ending: None, volumes, damaged: true });
            }
            known => known?,
        };
        let status = life.state.status;
        // A monitor without a running container is about to start it or to end.
        let lives = status.is_running() || life.live_monitor().is_some();
        if status.is_running() && !options.force {
            let status = status.to_string();
            return Err(EngineError::RemoveRunning { name: container.name, status });
        }
        let ending = lives.then(|| self.end_at_once(&container)).transpose()?;
        Ok(Removing { container, ending, volumes: options.volumes, damaged: false })
    }

    /// Removes the files of a container once it has ended.
    ///
    /// # Errors
    /// When files cannot be removed.
    pub fn finish_remove(&self, _session: &Session, removing: Removing) -> Result<(), EngineError> {
        let Removing { container, ending, volumes, damaged } = removing;
        if damaged {
            return self.remove_damaged(&container, volumes);
        }
        ending.map_or(Ok(()), Ending::wait)?;
        let id = &container.id;
        // With `--rm` the monitor was faster.
        let Ok(written) = self.records.life_as_written(id) else { return Ok(()) };
        if self.paths.running(id).exists() {
            crate::monitor::take_down(&self.paths, id, &written)?;
        }
        remove_files(&self.paths, &self.records, &container, volumes)?;
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
    remove_rest(paths, records, container, volumes)
}

/// Removes what is left of a container that no longer exists.
pub(super) fn remove_rest(
    paths: &Paths,
    records: &Records,
    container: &Container,
    volumes: bool,
) -> Result<(), EngineError> {
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

/// The ids of the containers that have a volume of that name, or may have it: what a record
/// that cannot be read names is not removed under it.
pub(crate) fn users(records: &Records, volume: &str) -> Vec<String> {
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
