//! Names of containers: `names/NAME` holds the id of the container that has it.
//!
//! Nodes of a swarm on this machine have names of their own: that of a container of node 2 is in `names/2~NAME`, the
//! *key* of the name. 0 is the machine itself. Who looks without saying on which node finds the machine's container, or
//! else the only one that is called so.

use std::fs;
use std::path::PathBuf;

use super::files::{entries, remove_file, replace, sync_of};
use super::{RecordError, Records, RecordsLock};
use crate::damage;
use crate::model::Container;

impl Records {
    pub(super) fn name_file(&self, key: &str) -> PathBuf {
        self.paths.containers().join("names").join(key)
    }

    pub(super) fn take_name(&self, container: &Container, name: &str) -> Result<(), RecordError> {
        let key = key(container.node, name);
        match self.holder(&key) {
            Some(holder) => Err(RecordError::NameTaken { name: name.to_owned(), holder }),
            None => replace(&self.name_file(&key), container.id.as_bytes(), sync_of(container)),
        }
    }

    /// The container that has a name, which may be one whose record cannot be read. Where
    /// the file of the name is damaged, the records are asked.
    pub(super) fn holder(&self, key: &str) -> Option<String> {
        let bytes = fs::read(self.name_file(key)).ok()?;
        match String::from_utf8(bytes) {
            Ok(id) if is_id(&id) => self.has_record(&id).then_some(id),
            _ => self.ids().ok()?.into_iter().find(|id| self.is_called(id, key)),
        }
    }

    /// Whether a record says so, or what is left of it.
    fn is_called(&self, id: &str, key: &str) -> bool {
        match self.load(id) {
            Ok(container) => key_of(&container) == key,
            Err(_) => self.salvaged_name(id).is_some_and(|salvaged| salvaged == bare(key)),
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
            let found = entries(&self.paths.containers().join("names")).ok()?;
            found.into_iter().find(leads).map(|key| bare(&key).to_owned())
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
        self.take_name(container, name)?;
        let old = key_of(container);
        name.clone_into(&mut container.name);
        self.save(container)?;
        self.free_name(&old, &container.id)
    }

    /// Takes a name away from a container, if it is that one's.
    pub(super) fn free_name(&self, key: &str, id: &str) -> Result<(), RecordError> {
        let path = self.name_file(key);
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
        self.find_on(None, reference)
    }

    /// The same on a node of the swarm, by its number; names of others are unknown there.
    ///
    /// # Errors
    /// As [`Records::find`].
    pub fn find_on(&self, node: Option<u8>, reference: &str) -> Result<String, RecordError> {
        let name = reference.strip_prefix('/').unwrap_or(reference);
        let not_found = || RecordError::NotFound { reference: reference.to_owned() };
        if is_id(name) && self.has_record(name) && self.is_own(name) {
            return Ok(name.to_owned());
        }
        if !name.is_empty()
            && !name.contains('/')
            && name != "."
            && name != ".."
            && name.len() <= crate::names::NAME_BYTES_MAX
            && let Some(id) = self.named(node, name)?
            && self.is_own(&id)
        {
            return Ok(id);
        }
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(not_found());
        }
        let mut found =
            self.ids()?.into_iter().filter(|id| id.starts_with(name) && self.is_own(id));
        let id = found.next().ok_or_else(not_found)?;
        if found.next().is_some() {
            return Err(RecordError::Ambiguous { reference: reference.to_owned() });
        }
        Ok(id)
    }
}

impl Records {
    /// Who is called so. Names of tasks are those of no node.
    fn named(&self, node: Option<u8>, name: &str) -> Result<Option<String>, RecordError> {
        let here = node.and_then(|node| self.holder(&key(node, name)));
        if let Some(id) = here.or_else(|| self.holder(name)) {
            return Ok(Some(id));
        }
        if node.is_some() {
            return Ok(None);
        }
        let keys = entries(&self.paths.containers().join("names"))?;
        let elsewhere = keys.iter().filter(|key| key.contains(BEHIND_NODE) && bare(key) == name);
        let mut found = elsewhere.filter_map(|key| self.holder(key));
        match (found.next(), found.next()) {
            (Some(_), Some(_)) => Err(RecordError::OnSeveral { name: name.to_owned() }),
            (found, _) => Ok(found),
        }
    }
}

/// Between the number of a node and a name; no name has it.
const BEHIND_NODE: char = '~';

fn key(node: u8, name: &str) -> String {
    if node == 0 { name.to_owned() } else { format!("{node}{BEHIND_NODE}{name}") }
}

pub(super) fn key_of(container: &Container) -> String {
    key(container.node, &container.name)
}

/// The name of a key.
pub(super) fn bare(key: &str) -> &str {
    key.split_once(BEHIND_NODE).map_or(key, |(_, name)| name)
}

pub(super) fn is_id(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paths::{Paths, make_private};

    #[test]
    fn every_node_has_names_of_its_own() {
        let temp = tempfile::tempdir().unwrap();
        let paths = Paths { data: temp.path().to_owned(), run: temp.path().join("run/a.1") };
        let records = Records::open(&paths).unwrap();
        let make = |digit: &str, node: u8| {
            let (id, name) = (digit.repeat(64), "web".to_owned());
            let container = Container { id, name, node, ..Container::default() };
            make_private(&records.paths.container(&container.id)).unwrap();
            records.create(&records.lock().unwrap(), &container).map(|()| container)
        };
        let two = make("2", 2).unwrap();
        assert!(matches!(make("a", 2), Err(RecordError::NameTaken { .. })));
        assert_eq!(records.find("web").unwrap(), two.id, "the only one");
        let mut three = make("3", 3).unwrap();
        assert!(matches!(records.find("web"), Err(RecordError::OnSeveral { .. })));
        let own = make("0", 0).unwrap();
        assert_eq!(records.find("web").unwrap(), own.id);
        assert_eq!(records.find_on(Some(0), "web").unwrap(), own.id);
        assert_eq!(records.find_on(Some(2), "/web").unwrap(), two.id);
        assert_eq!(records.find_on(Some(3), "web").unwrap(), three.id);
        records.rename(&records.lock().unwrap(), &mut three, "other").unwrap();
        assert_eq!(records.find_on(Some(3), "other").unwrap(), three.id);
        assert!(records.find_on(Some(2), "other").is_err());
        std::fs::remove_file(records.name_file("3~other")).unwrap();
        assert_eq!(records.restore_names(&records.lock().unwrap()).unwrap(), ["other"]);
        assert_eq!(records.find("other").unwrap(), three.id);
        records.forget(&records.lock().unwrap(), &two).unwrap();
        assert!(make("4", 2).is_ok());
    }
}
