//! Volumes as commands see them: made, removed, and who uses them. What is done is told.
//!
//! # Not here
//!
//! Anonymous volumes that go with their container: nobody is told of those, as in Docker.

use super::Engine;
use crate::error::EngineError;
use crate::events::Kind;
use crate::volumes::{CreateVolume, Filter, Pruned, Volume};

impl Engine {
    /// Makes a volume, or gives the one that has that name.
    ///
    /// # Errors
    /// For a bad name, driver or option, and when it cannot be written.
    pub fn create_volume(&self, request: CreateVolume) -> Result<Volume, EngineError> {
        let (volume, new) = self.volumes.create(request)?;
        if new {
            self.tell_of_volume(&volume.name, "create");
        }
        Ok(volume)
    }

    /// Removes a volume that no container uses; with `force`, none of that name will do.
    ///
    /// # Errors
    /// When it is in use or absent, or cannot be removed.
    pub fn remove_volume(&self, name: &str, force: bool) -> Result<(), EngineError> {
        // No container is made meanwhile.
        let list = self.records.lock()?;
        let known = self.users_of_volumes()?;
        let users = |volume: &Volume| match known.of(volume) {
            // What a record that cannot be read names is not removed under it.
            none if none.is_empty() => self.volume_users(&volume.name),
            users => users,
        };
        if self.volumes.remove(list, name, force, users)? {
            self.tell_of_volume(name, "destroy");
        }
        Ok(())
    }

    /// Removes volumes that nobody uses: anonymous ones, or `all`; those that are `kept` stay.
    /// `None`: the record of a container cannot be read, so that nobody knows what is unused.
    ///
    /// # Errors
    /// When one cannot be removed; those before it are gone.
    pub fn prune_volumes(
        &self,
        all: bool,
        filter: &Filter,
        kept: impl Fn(&Volume) -> bool,
    ) -> Result<Option<Pruned>, EngineError> {
        let list = self.records.lock()?;
        let known = self.users_of_volumes()?;
        if self.has_unknown_users()? {
            return Ok(None);
        }
        let damaged = self.records.list()?.damaged;
        let used = |volume: &Volume| {
            let mentions = |id: &String| self.records.mentions(id, &volume.name);
            kept(volume)
                || !known.of(volume).is_empty()
                || damaged.iter().any(|container| mentions(&container.id))
        };
        let pruned = self.volumes.prune(list, all, filter, used)?;
        for name in &pruned.names {
            self.tell_of_volume(name, "destroy");
        }
        Ok(Some(pruned))
    }

    fn tell_of_volume(&self, name: &str, action: &str) {
        self.events.object(Kind::Volume, action, name, &[("driver", "local")]);
    }

    /// Who uses volumes, as the records that can be read say; read once for a whole list.
    ///
    /// # Errors
    /// When the containers cannot be listed.
    pub fn users_of_volumes(&self) -> Result<VolumeUsers, EngineError> {
        let mut pairs = Vec::new();
        for summary in self.list()? {
            for mount in summary.container.mounts {
                pairs.push((mount.point.name, summary.container.id.clone()));
            }
        }
        Ok(VolumeUsers(pairs))
    }
}

/// Names of volumes, each with the id of a container that has it; the newest container first.
#[derive(Debug)]
pub struct VolumeUsers(Vec<(String, String)>);

impl VolumeUsers {
    /// The ids of the containers that mount it.
    #[must_use]
    pub fn of(&self, volume: &Volume) -> Vec<String> {
        let mine = self.0.iter().filter(|(name, _)| *name == volume.name);
        mine.map(|(_, id)| id.clone()).collect()
    }
}
