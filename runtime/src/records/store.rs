//! Containers that are there: made, read, changed, forgotten.

use std::fs;
use std::path::PathBuf;

use serde::de::Error as _;

use super::error::{as_damage, note};
use super::files::{Sync, entries, read_json, remove_file, replace_json, sync_folder, sync_of};
use super::names::{is_id, key_of};
use super::{Life, RecordError, RecordsLock};
use crate::damage::{self, Damaged};
use crate::identity::present;
use crate::model::{Container, RECORD_VERSION};
use crate::paths::{Paths, make_private};

/// All containers of a data root.
#[derive(Clone, Debug)]
pub struct Records {
    pub(super) paths: Paths,
    /// References mean its containers alone.
    pub(super) owner: Option<String>,
}

impl Records {
    /// # Errors
    /// When the folders cannot be made.
    pub fn open(paths: &Paths) -> Result<Self, RecordError> {
        make_private(&paths.containers().join("names"))?;
        Ok(Self { paths: paths.clone(), owner: None })
    }

    /// The same for a session of the Engine API: references mean what is its own.
    #[must_use]
    pub fn of(self, owner: Option<&str>) -> Self {
        Self { owner: owner.map(str::to_owned), ..self }
    }

    /// Whether a reference may mean it.
    pub(super) fn is_own(&self, id: &str) -> bool {
        self.owner.is_none() || self.load(id).is_ok_and(|container| container.owner == self.owner)
    }

    pub(super) fn record_file(&self, id: &str) -> PathBuf {
        self.paths.container(id).join("container.json")
    }

    /// Whether a container is there. One whose folder or record this user may not read is.
    pub(super) fn has_record(&self, id: &str) -> bool {
        !matches!(present(fs::symlink_metadata(self.record_file(id))), Ok(None))
    }

    /// Makes the container exist. Its folder must have been made by the caller.
    ///
    /// # Errors
    /// [`RecordError::NameTaken`], or when a file cannot be written.
    pub fn create(&self, _lock: &RecordsLock, container: &Container) -> Result<(), RecordError> {
        let sync = sync_of(container);
        self.take_name(container, &container.name)?;
        let path = self.lock_file(&container.id);
        crate::file_lock::open(&path, true)
            .map_err(|errno| RecordError::Write { path, source: errno.into() })?;
        let life = Life { version: RECORD_VERSION, ..Life::default() };
        replace_json(&self.life_file(&container.id), &life, sync)?;
        self.save(container)?;
        if sync == Sync::Yes { sync_folder(&self.paths.containers()) } else { Ok(()) }
    }

    /// Makes the container cease to exist. Its folder is left to the caller, under the name
    /// that is given back.
    ///
    /// # Errors
    /// [`RecordError::NotFound`] when somebody was faster; or when a file cannot be removed.
    pub(crate) fn forget(
        &self,
        _lock: &RecordsLock,
        container: &Container,
    ) -> Result<PathBuf, RecordError> {
        let id = container.id.as_str();
        self.must_exist(id)?;
        // It may have been renamed since the caller looked.
        let name = self.load(id).map_or_else(|_| key_of(container), |found| key_of(&found));
        remove_file(&self.record_file(id))?;
        self.free_name(&name, id)?;
        Ok(self.claim(&self.paths.container(id), id))
    }

    /// The same for a container whose record cannot be read: by its id alone.
    ///
    /// # Errors
    /// [`RecordError::NotFound`] when somebody was faster; or when a file cannot be removed.
    pub(crate) fn forget_damaged(
        &self,
        _lock: &RecordsLock,
        id: &str,
    ) -> Result<PathBuf, RecordError> {
        self.must_exist(id)?;
        let leads = |name: &String| {
            fs::read_to_string(self.name_file(name)).is_ok_and(|holder| holder == id)
        };
        let names = entries(&self.paths.containers().join("names"))?;
        // A damaged name leads nowhere once the record is gone, and is swept.
        remove_file(&self.record_file(id))?;
        names
            .iter()
            .filter(|name| leads(name))
            .try_for_each(|name| remove_file(&self.name_file(name)))?;
        Ok(self.claim(&self.paths.container(id), id))
    }

    /// Whether what is left of a record that cannot be read names this.
    #[must_use]
    pub fn mentions(&self, id: &str, word: &str) -> bool {
        damage::mentions(&self.record_file(id), word)
    }

    /// What is left of a record that a newer version wrote, or that lacks something.
    #[must_use]
    pub fn salvage(&self, id: &str) -> Option<serde_json::Value> {
        serde_json::from_slice(&fs::read(self.record_file(id)).ok()?).ok()
    }

    /// Writes a changed record.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self, container: &Container) -> Result<(), RecordError> {
        replace_json(&self.record_file(&container.id), container, sync_of(container))
    }

    /// # Errors
    /// When there is no such container or it cannot be read.
    pub fn load(&self, id: &str) -> Result<Container, RecordError> {
        let path = self.record_file(id);
        let whole = |container: &Container| {
            // Paths are made of both.
            match crate::names::validate(&container.name) {
                _ if container.id != id => Some("it is the record of another container".to_owned()),
                Err(error) => Some(error.to_string()),
                Ok(()) => None,
            }
        };
        let read =
            read_json::<Container>(&path, id).and_then(|container| match whole(&container) {
                None => Ok(container),
                Some(why) => {
                    Err(RecordError::Parse { path, source: serde_json::Error::custom(why) })
                }
            });
        read.map_err(|error| as_damage(id, error))
    }

    /// All containers that can be read, and those that cannot. In no order.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn list(&self) -> Result<Listing, RecordError> {
        let mut listing = Listing::default();
        for id in self.ids()? {
            match self.load(&id).and_then(|container| Ok((container, self.life(&id)?))) {
                Ok(readable) => listing.readable.push(readable),
                Err(RecordError::Damaged { id, source }) => {
                    listing.damaged.push(DamagedContainer {
                        note: note(&id, &source),
                        is_newer: matches!(*source, RecordError::Newer { .. }),
                        id,
                    });
                }
                // Removed while we looked.
                Err(_) => {}
            }
        }
        Ok(listing)
    }

    /// The ids of all containers, in no order.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn ids(&self) -> Result<Vec<String>, RecordError> {
        let mut ids = entries(&self.paths.containers())?;
        ids.retain(|name| is_id(name) && self.has_record(name));
        Ok(ids)
    }
}

/// What there is.
#[derive(Debug, Default)]
pub struct Listing {
    pub readable: Vec<(Container, Life)>,
    pub damaged: Vec<DamagedContainer>,
}

/// A container whose record or state cannot be read.
#[derive(Debug)]
pub struct DamagedContainer {
    /// All of it.
    pub id: String,
    pub note: Damaged,
    /// A newer version understands it.
    pub is_newer: bool,
}
