//! Remove a container, with everything that belongs to it alone.

use std::time::Duration;

use super::control::end_request;
use super::hold::Held;
use super::{Ending, Engine};
use crate::error::EngineError;
use crate::model::Container;
use crate::records::{Life, RecordError};
use crate::remains::remove_files;
use crate::session::Session;

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
    options: RemoveOptions,
    /// Its record or state cannot be read.
    damaged: bool,
}

/// How long a container that is killed may take to end.
const KILL_PATIENCE: Duration = Duration::from_secs(30);

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
                return Ok(Removing { container, ending: None, options, damaged: true });
            }
            known => known?,
        };
        if !options.force {
            refuse_running(&container, &life)?;
        }
        // Without force, one that is about to start or to end is waited for first.
        let ends = options.force && self.records.lives(&life);
        let ending = ends.then(|| self.end_at_once(&container)).transpose()?;
        Ok(Removing { container, ending, options, damaged: false })
    }

    /// Removes a container once it has ended.
    ///
    /// # Errors
    /// When somebody else removed it, when it runs again and `force` is not set, or when
    /// files cannot be removed.
    pub fn finish_remove(&self, _session: &Session, removing: Removing) -> Result<(), EngineError> {
        let Removing { container, ending, options, damaged } = removing;
        if damaged {
            return self.remove_damaged(&container, options.volumes);
        }
        // With `--rm` its monitor removes it, and may be faster than we are.
        let removes_itself = ending.is_some() && container.host_config.auto_remove;
        if let Some(ending) = ending {
            ending.wait_within(KILL_PATIENCE)?;
        }
        match self.remove_held(&container.id, options) {
            Err(EngineError::Record(RecordError::NotFound { .. })) if removes_itself => Ok(()),
            outcome => outcome,
        }
    }

    /// Removes those of these containers that do not run; gives their ids and the bytes set free.
    ///
    /// # Errors
    /// As [`Engine::remove`]; those before it are gone.
    pub fn prune_containers(
        &self,
        session: &Session,
        containers: &[Container],
    ) -> Result<(Vec<String>, u64), EngineError> {
        let mut removed = Vec::new();
        let mut freed = 0;
        for container in containers {
            let own = self.written_bytes(container);
            match self.remove(session, &container.id, RemoveOptions::default()) {
                // Somebody was faster, or started it since we looked.
                Err(
                    EngineError::Record(RecordError::NotFound { .. })
                    | EngineError::RemoveRunning { .. },
                ) => continue,
                outcome => outcome?,
            }
            freed += own;
            removed.push(container.id.clone());
        }
        Ok((removed, freed))
    }

    fn remove_held(&self, id: &str, options: RemoveOptions) -> Result<(), EngineError> {
        let Held { lock: _lock, container, mut life, monitor } = self.hold(id)?;
        if let Some(connection) = monitor {
            if !options.force {
                refuse_running(&container, &self.records.life(id)?)?;
            }
            // Somebody started it since we looked; now nobody can.
            self.end_through(&container, connection, &end_request())?.wait_within(KILL_PATIENCE)?;
            life = self.records.life_as_written(id)?;
        }
        self.remove_ended(&container, &life, options.volumes)
    }

    /// Removes a container that does not run. The caller holds its lock.
    pub(super) fn remove_ended(
        &self,
        container: &Container,
        life: &Life,
        volumes: bool,
    ) -> Result<(), EngineError> {
        self.take_down_lost(container, life)?;
        remove_files(&self.paths, &self.records, container, volumes)?;
        self.events.container(container, "destroy", &[]);
        Ok(())
    }
}

fn refuse_running(container: &Container, life: &Life) -> Result<(), EngineError> {
    let status = life.state.status;
    match status.is_running() {
        true => Err(EngineError::RemoveRunning {
            name: container.name.clone(),
            status: status.to_string(),
        }),
        false => Ok(()),
    }
}
