//! Names of containers: `names/NAME` holds the id of the container that has it.

use std::fs;
use std::path::PathBuf;

use super::files::{Sync, entries, remove_file, replace, sync_of};
use super::{RecordError, Records, RecordsLock};
use crate::damage;
use crate::model::Container;

impl Records {
    pub(super) fn name_file(&self, name: &str) -> PathBuf {
        self.paths.containers().join("names").join(name)
    }

    pub(super) fn take_name(&self, name: &str, id: &str, sync: Sync) -> Result<(), RecordError> {
        match self.holder(name) {
            Some(holder) => Err(RecordError::NameTaken { name: name.to_owned(), holder }),
            None => replace(&self.name_file(name), id.as_bytes(), sync),
        }
    }

    /// The container that has a name, which may be one whose record cannot be read. Where
    /// the file of the name is damaged, the records are asked.
    pub(super) fn holder(&self, name: &str) -> Option<String> {
        let bytes = fs::read(self.name_file(name)).ok()?;
        match String::from_utf8(bytes) {
            Ok(id) if is_id(&id) => self.has_record(&id).then_some(id),
            _ => self.ids().ok()?.into_iter().find(|id| self.is_called(id, name)),
        }
    }

    /// Whether a record says so, or what is left of it.
    fn is_called(&self, id: &str, name: &str) -> bool {
        match self.load(id) {
            Ok(container) => container.name == name,
            Err(_) => self.salvaged_name(id).is_some_and(|salvaged| salvaged == name),
        }
    }

    /// The name in what is left of a record, or that of the file that leads to it.
    #[must_use]
    pub fn salvaged_name(&self, id: &str) -> Option<String> {
        let bytes = fs::read(self.record_file(id)).unwrap_or_default();
        let salvaged = damage::salvage(&bytes, "name");
        let salvaged = salvaged.filter(|name| crate::names::validate(name).is_ok());
        salvaged.or_else(|| {
            let leads = |name: &String| {
                fs::read_to_string(self.name_file(name)).is_ok_and(|holder| holder == id)
            };
            entries(&self.paths.containers().join("names")).ok()?.into_iter().find(leads)
        })
    }

    /// Gives a container another name.
    ///
    /// # Errors
    /// As [`Records::create`].
    pub fn rename(
        &self,
        _lock: &RecordsLock,
        container: &mut Container,
        name: &str,
    ) -> Result<(), RecordError> {
        self.take_name(name, &container.id, sync_of(container))?;
        let old = std::mem::replace(&mut container.name, name.to_owned());
        self.save(container)?;
        self.free_name(&old, &container.id)
    }

    /// Takes a name away from a container, if it is that one's.
    pub(super) fn free_name(&self, name: &str, id: &str) -> Result<(), RecordError> {
        let path = self.name_file(name);
        match fs::read_to_string(&path) {
            Ok(holder) if holder != id => Ok(()),
            _ => remove_file(&path),
        }
    }

    /// The id that a name, an id or a unique prefix of one stands for.
    ///
    /// # Errors
    /// When it stands for none or for several.
    pub fn find(&self, reference: &str) -> Result<String, RecordError> {
        let name = reference.strip_prefix('/').unwrap_or(reference);
        let not_found = || RecordError::NotFound { reference: reference.to_owned() };
        if is_id(name) && self.has_record(name) {
            return Ok(name.to_owned());
        }
        if !name.is_empty()
            && !name.contains('/')
            && name != "."
            && name != ".."
            && name.len() <= crate::names::NAME_BYTES_MAX
            && let Some(id) = self.holder(name)
        {
            return Ok(id);
        }
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(not_found());
        }
        let mut found = self.ids()?.into_iter().filter(|id| id.starts_with(name));
        let id = found.next().ok_or_else(not_found)?;
        if found.next().is_some() {
            return Err(RecordError::Ambiguous { reference: reference.to_owned() });
        }
        Ok(id)
    }
}

pub(super) fn is_id(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}
