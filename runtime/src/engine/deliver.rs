//! Files that must not lie on a disk: secrets that are handed to containers.
//!
//! # How it works
//!
//! They lie in the tmpfs that is mounted in the user's own mount namespace, where containers
//! can have them mounted and nobody outside sees them. It ends with the last container; what
//! is started later has its files delivered again.

use std::fs;
use std::path::PathBuf;

use super::Engine;
use crate::delivered::{Rights, put};
use crate::error::EngineError;
use crate::paths::make_private;
use crate::session::Session;

/// A file to be delivered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// What keeps files of the same name apart: a project.
    pub place: String,
    pub name: String,
    pub content: Vec<u8>,
    pub uid: u32,
    pub gid: u32,
    pub mode: u32,
}

impl Engine {
    /// Puts a file where containers can have it mounted, and says where that is. A container
    /// that has it already keeps what it has.
    ///
    /// # Errors
    /// When it cannot be written or given to its owner.
    pub fn deliver(&self, _session: &Session, file: &Delivery) -> Result<PathBuf, EngineError> {
        make_private(&self.paths.secrets().join(&file.place))?;
        let path = self.delivered_at(file);
        if fs::read(&path).is_ok_and(|there| there == file.content) {
            return Ok(path);
        }
        let rights = Rights { uid: file.uid, gid: file.gid, mode: file.mode };
        put(&path, &file.content, rights)
            .map_err(EngineError::io(format!("deliver {}", file.name)))?;
        Ok(path)
    }

    /// Whether what was delivered last in its place is something else.
    #[must_use]
    pub fn delivered_otherwise(&self, _session: &Session, file: &Delivery) -> bool {
        fs::read(self.delivered_at(file)).is_ok_and(|there| there != file.content)
    }

    fn delivered_at(&self, file: &Delivery) -> PathBuf {
        let Delivery { place, name, uid, gid, mode, .. } = file;
        self.paths.secrets().join(place).join(format!("{name}-{uid}-{gid}-{mode:o}"))
    }
}
