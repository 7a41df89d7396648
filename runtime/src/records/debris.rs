//! Folders and names of containers that are gone, or were never finished.
//!
//! Whoever removes a folder first gives it a name that says so: nobody else touches it while
//! that process lives. So removals do not get into each other's way, and a big one keeps
//! nobody from the lock.

use std::fs;
use std::path::{Path, PathBuf};

use coracle_sys::process::ProcessId;

use coracle_image::short_id;

use super::files::{Sync, UNNAMED, entries, replace};
use super::names::{bare, is_id, key_of};
use super::{RecordError, Records, RecordsLock};
use crate::boot;

/// How the names of folders begin whose container is gone.
const GONE: &str = ".gone";

impl Records {
    /// Gives the folder of a container that is gone a name that says who removes it. Where
    /// that cannot be, it keeps its own.
    pub(super) fn claim(&self, folder: &Path, id: &str) -> PathBuf {
        let ProcessId { pid, start_ticks } = ProcessId::current();
        let name = [GONE, boot::this(), &pid.to_string(), &start_ticks.to_string(), id].join("~");
        let claimed = self.paths.containers().join(name);
        match fs::rename(folder, &claimed) {
            Ok(()) => claimed,
            Err(_) => folder.to_owned(),
        }
    }

    /// The id of a container that is gone, when nobody removes its folder any more; `None` in
    /// its stead when somebody does. Only for names that [`Records::claim`] gave.
    fn abandoned<'a>(&self, name: &'a str) -> Option<Option<&'a str>> {
        let mut parts = name.strip_prefix(GONE)?.splitn(5, '~').skip(1);
        let (mark, pid, start) = (parts.next()?, parts.next()?, parts.next()?);
        let remover = ProcessId { pid: pid.parse().ok()?, start_ticks: start.parse().ok()? };
        let lives = match mark == boot::this() {
            true => remover.is_alive(),
            // In another pid namespace processes are seen by their marks alone.
            false => self.paths.at(mark).is_some_and(|paths| crate::session::is_in_use(&paths)),
        };
        Some(parts.next().filter(|_| !lives))
    }

    /// Removes what commands that died half-way left: folders without a record, names without a
    /// container, files that never got their name. The folders are claimed and left to the
    /// caller, who need not have the lock for it.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub(crate) fn sweep(&self, lock: &RecordsLock) -> Result<Vec<PathBuf>, RecordError> {
        let mut alive = 0;
        let mut debris = Vec::new();
        for name in entries(&self.paths.containers())? {
            let id = match self.abandoned(&name) {
                Some(None) => continue,
                Some(Some(id)) => id,
                None if !is_id(&name) => continue,
                None if self.has_record(&name) => {
                    alive += 1;
                    continue;
                }
                None => &name,
            };
            debris.push(self.claim(&self.paths.container(&name), id));
        }
        let (unnamed, names): (Vec<_>, Vec<_>) = entries(&self.paths.containers().join("names"))?
            .into_iter()
            .partition(|name| name.starts_with(UNNAMED));
        // Reading every name is worth it only when there are too many of them.
        let count = names.len();
        let check = count > alive;
        let dangling = names.into_iter().filter(|name| check && self.dangles(name));
        for name in unnamed.into_iter().chain(dangling) {
            drop(fs::remove_file(self.name_file(&name)));
        }
        if count < alive {
            self.restore_names(lock)?;
        }
        Ok(debris)
    }

    /// Claims the folder of a container that was not finished, to be removed by the caller.
    pub(crate) fn abandon(&self, id: &str) -> PathBuf {
        self.claim(&self.paths.container(id), id)
    }

    /// Makes the files of names again that a power cut took or damaged; the names.
    ///
    /// # Errors
    /// When one cannot be written.
    pub fn restore_names(&self, _lock: &RecordsLock) -> Result<Vec<String>, RecordError> {
        let mut restored = Vec::new();
        for id in self.ids()? {
            let Some(key) = self.lost_key(&id) else { continue };
            replace(&self.name_file(&key), id.as_bytes(), Sync::Yes)?;
            restored.push(bare(&key).to_owned());
        }
        Ok(restored)
    }

    /// The name of a container to which no whole file leads.
    #[must_use]
    pub fn lost_name(&self, id: &str) -> Option<String> {
        Some(bare(&self.lost_key(id)?).to_owned())
    }

    fn lost_key(&self, id: &str) -> Option<String> {
        let key = key_of(&self.load(id).ok()?);
        let leads = fs::read_to_string(self.name_file(&key)).is_ok_and(|holder| is_id(&holder));
        (!leads).then_some(key)
    }

    /// What [`Records::sweep`] would remove.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn debris(&self, _lock: &RecordsLock) -> Result<Vec<String>, RecordError> {
        let mut debris = Vec::new();
        for name in entries(&self.paths.containers())? {
            let id = match self.abandoned(&name) {
                Some(abandoned) => abandoned,
                None => Some(&*name).filter(|id| is_id(id) && !self.has_record(id)),
            };
            debris.extend(id.map(|id| format!("container folder {}", short_id(id))));
        }
        for name in entries(&self.paths.containers().join("names"))? {
            if name.starts_with(UNNAMED) || self.dangles(&name) {
                debris.push(format!("container name {}", bare(&name)));
            }
        }
        Ok(debris)
    }

    fn dangles(&self, name: &str) -> bool {
        self.holder(name).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Container;
    use crate::paths::{Paths, make_private};

    fn world() -> (tempfile::TempDir, Records) {
        let temp = tempfile::tempdir().unwrap();
        let paths = Paths { data: temp.path().to_owned(), run: temp.path().join("run/a.1") };
        let records = Records::open(&paths).unwrap();
        (temp, records)
    }

    fn make(records: &Records, digit: &str, name: &str) -> Container {
        let container =
            Container { id: digit.repeat(64), name: name.to_owned(), ..Container::default() };
        make_private(&records.paths.container(&container.id)).unwrap();
        records.create(&records.lock().unwrap(), &container).unwrap();
        container
    }

    #[test]
    fn debris_is_claimed_once_and_not_from_who_lives() {
        let (_temp, records) = world();
        let folder = |name: &str| records.paths.container(name);
        make(&records, "a", "kept");
        make_private(&folder(&"b".repeat(64))).unwrap();
        let mine = records.claim(&folder(&"b".repeat(64)), &"b".repeat(64));
        make_private(&folder(&"c".repeat(64))).unwrap();
        let dead = format!("{GONE}~{}~1~1~{}", boot::this(), "d".repeat(64));
        make_private(&folder(&dead)).unwrap();
        let debris = records.sweep(&records.lock().unwrap()).unwrap();
        assert_eq!(debris.len(), 2, "{debris:?}");
        assert!(mine.exists() && !debris.contains(&mine), "we live");
        assert!(debris.iter().all(|claimed| claimed.exists()), "{debris:?}");
        assert!(records.sweep(&records.lock().unwrap()).unwrap().is_empty(), "all are claimed");
        assert_eq!(records.ids().unwrap(), ["a".repeat(64)]);
    }

    #[test]
    fn a_container_takes_no_name_with_it_that_is_not_its_own() {
        let (_temp, records) = world();
        let seen = make(&records, "a", "one");
        let mut renamed = seen.clone();
        records.rename(&records.lock().unwrap(), &mut renamed, "two").unwrap();
        let other = make(&records, "b", "one");
        records.forget(&records.lock().unwrap(), &seen).unwrap();
        assert_eq!(records.find("one").unwrap(), other.id);
        assert!(matches!(records.find("two"), Err(RecordError::NotFound { .. })));
        let again = records.forget(&records.lock().unwrap(), &seen);
        assert!(matches!(again, Err(RecordError::NotFound { .. })), "{again:?}");
    }

    #[test]
    fn the_lock_of_a_container_says_who_has_it_and_goes_with_the_container() {
        use std::time::Duration;
        let (_temp, records) = world();
        let container = make(&records, "a", "one");
        let id = container.id.as_str();
        let held = records.lock_container(id, Duration::ZERO).unwrap();
        assert!(records.try_lock_container(id).unwrap().is_none());
        let error = records.lock_container(id, Duration::ZERO).unwrap_err().to_string();
        let me = std::process::id();
        assert!(
            error.starts_with(&format!("container one is being changed by process {me} ")),
            "{error}"
        );
        drop(held);
        // One of an earlier version has no file for it.
        std::fs::remove_file(records.lock_file(id)).unwrap();
        drop(records.lock_container(id, Duration::ZERO).unwrap());
        let folder = records.forget(&records.lock().unwrap(), &container).unwrap();
        assert!(folder.join("lock").exists(), "it goes with the folder");
        let error = records.lock_container(id, Duration::ZERO).unwrap_err();
        assert!(matches!(error, RecordError::NotFound { .. }), "{error}");
    }
}
