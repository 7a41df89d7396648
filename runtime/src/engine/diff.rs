//! `diff`: what a container changed in its image.

use super::Engine;
use crate::copy::{Change, changes};
use crate::delivered;
use crate::error::EngineError;
use crate::model::Container;
use crate::rootfs::Overlay;
use crate::rootfs::Written;
use crate::session::Session;

impl Engine {
    /// The paths a container added, changed and deleted; parents before children.
    ///
    /// # Errors
    /// When its files cannot be read.
    pub fn diff(&self, session: &Session, id: &str) -> Result<Vec<Change>, EngineError> {
        let container = self.records.load(id)?;
        let overlay = Overlay::of(&self.paths, &self.config.layers, &container);
        let written = self.written(session, &container)?;
        changes::changes(&written, &overlay.layers, &delivered::places_made(&container))
            .map_err(EngineError::io(format!("compare container {id} with its image")))
    }

    /// A folder with what a container wrote, in the form overlayfs gives it.
    ///
    /// # Errors
    /// When its files cannot be compared with those of its image.
    pub fn written(
        &self,
        _session: &Session,
        container: &Container,
    ) -> Result<Written, EngineError> {
        self.make_working_folder(container)?;
        Overlay::of(&self.paths, &self.config.layers, container).written().map_err(
            EngineError::syscall(format!("compare container {} with its image", container.id)),
        )
    }
}
