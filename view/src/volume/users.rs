//! Which containers use which volume.

use coracle_runtime::Home;
use coracle_runtime::volumes::Volume;

use crate::{ViewError, container};

/// Which containers use which volume, read once for a whole list.
#[derive(Debug)]
pub struct VolumeUsers(Vec<(String, String)>);

impl VolumeUsers {
    /// # Errors
    /// When the containers cannot be listed.
    pub fn read(home: &Home) -> Result<Self, ViewError> {
        let mut pairs = Vec::new();
        for known in container::list(home)? {
            for mount in &known.container.mounts {
                pairs.push((mount.point.name.clone(), known.container.id.clone()));
            }
        }
        Ok(Self(pairs))
    }

    /// The ids of the containers that mount it.
    #[must_use]
    pub fn of(&self, volume: &Volume) -> Vec<&str> {
        let mine = self.0.iter().filter(|(name, _)| *name == volume.name);
        mine.map(|(_, id)| id.as_str()).collect()
    }
}
