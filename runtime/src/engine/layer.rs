//! What a step of a build wrote, taken from its container: the folder moves, nothing is copied.

use std::fs;
use std::path::{Path, PathBuf};

use super::Engine;
use crate::copy::tidy::tidy;
use crate::error::EngineError;
use crate::rootfs::Overlay;
use crate::session::Session;

impl Engine {
    /// Moves what a container wrote to `target`, on the same file system, without the places that its start made. The
    /// container has ended, and is good for nothing afterwards but to be removed.
    ///
    /// # Errors
    /// When it cannot be compared with its layers, or moved.
    pub fn take_written(
        &self,
        session: &Session,
        id: &str,
        target: &Path,
    ) -> Result<(), EngineError> {
        let container = self.records.load(id)?;
        let written = self.written(session, &container)?;
        let overlay = Overlay::of(&self.paths, &self.config.layers, &container);
        let tmpfs = container.host_config.tmpfs.keys().map(PathBuf::from);
        let delivered = container.delivered.iter().filter(|file| file.is_file());
        let delivered = delivered.map(|file| PathBuf::from(&file.target));
        let mounts = container.mounts.iter().map(|mount| PathBuf::from(&mount.point.destination));
        let made: Vec<PathBuf> = tmpfs.chain(delivered).chain(mounts).collect();
        tidy(&written, &overlay.layers, &made)
            .map_err(EngineError::io(format!("compare container {id} with its image")))?;
        fs::rename(&*written, target)
            .map_err(EngineError::io(format!("move what container {id} wrote")))
    }
}
