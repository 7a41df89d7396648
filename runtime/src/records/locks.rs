//! Locks: of the list of containers, and of one container.
//!
//! `engine/hold.rs` says who takes which, and in which order.

use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::Duration;

use rustix::io::Errno;

use super::{RecordError, Records};
use crate::file_lock::{self, FileLock, Holder, LockError};

/// The lock under which containers come, go and change their names.
#[derive(Debug)]
pub struct RecordsLock {
    _file: FileLock,
}

/// The lock of one container: who has it may act on what the records say of it.
#[derive(Debug)]
pub(crate) struct ContainerLock {
    _file: FileLock,
}

thread_local! {
    /// Guards against a deadlock in development: nobody holds two of them.
    static HOLDS_ONE: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

impl ContainerLock {
    fn new(file: FileLock) -> Self {
        let held = HOLDS_ONE.replace(true);
        debug_assert!(!held, "one container's lock at a time");
        Self { _file: file }
    }
}

impl Drop for ContainerLock {
    fn drop(&mut self) {
        HOLDS_ONE.set(false);
    }
}

impl Records {
    /// Takes the lock; waits for whoever has it.
    ///
    /// # Errors
    /// When the lock file cannot be opened, or somebody has it for too long.
    pub fn lock(&self) -> Result<RecordsLock, RecordError> {
        let path = self.paths.containers().join("lock");
        let file = file_lock::open(&path, true)
            .map_err(|errno| RecordError::Write { path: path.clone(), source: errno.into() })?;
        match file_lock::take(file, file_lock::PATIENCE) {
            Ok(file) => Ok(RecordsLock { _file: file }),
            Err(LockError::Held(holder)) => Err(RecordError::Busy {
                what: "the list of containers".to_owned(),
                holder,
                waited_s: file_lock::PATIENCE.as_secs(),
            }),
            Err(LockError::Io(source)) => Err(RecordError::Write { path, source }),
        }
    }

    pub(super) fn lock_file(&self, id: &str) -> PathBuf {
        self.paths.container(id).join("lock")
    }

    /// Takes the lock of a container; waits for whoever has it, for so long.
    ///
    /// # Errors
    /// When there is no such container any more, or somebody has the lock all the time.
    pub(crate) fn lock_container(
        &self,
        id: &str,
        patience: Duration,
    ) -> Result<ContainerLock, RecordError> {
        match self.take_container_lock(id, patience)? {
            Ok(lock) => Ok(lock),
            Err(holder) => {
                let name = self.load(id).map_or_else(|_| id.to_owned(), |found| found.name);
                let what = format!("container {name}");
                Err(RecordError::Busy { what, holder, waited_s: patience.as_secs() })
            }
        }
    }

    /// Takes the lock of a container; `None` when somebody has it.
    ///
    /// # Errors
    /// When there is no such container any more.
    pub(crate) fn try_lock_container(
        &self,
        id: &str,
    ) -> Result<Option<ContainerLock>, RecordError> {
        Ok(self.take_container_lock(id, Duration::ZERO)?.ok())
    }

    fn take_container_lock(
        &self,
        id: &str,
        patience: Duration,
    ) -> Result<Result<ContainerLock, Holder>, RecordError> {
        let path = self.lock_file(id);
        let failed = |source: io::Error| RecordError::Write { path: path.clone(), source };
        let file = match file_lock::open(&path, false) {
            Err(Errno::NOENT) => self.make_lock_file(id)?,
            opened => opened.map_err(|errno| failed(errno.into()))?,
        };
        let lock = match file_lock::take(file, patience) {
            Ok(file) => ContainerLock::new(file),
            Err(LockError::Held(holder)) => return Ok(Err(holder)),
            Err(LockError::Io(source)) => return Err(failed(source)),
        };
        // It may have been removed while we waited; an id is never used again.
        self.must_exist(id)?;
        Ok(Ok(lock))
    }

    /// A container of an earlier version has none. It is made under the lock under which
    /// containers go, so that none appears in a folder that is being removed.
    fn make_lock_file(&self, id: &str) -> Result<OwnedFd, RecordError> {
        let _lock = self.lock()?;
        self.must_exist(id)?;
        let path = self.lock_file(id);
        file_lock::open(&path, true)
            .map_err(|errno| RecordError::Write { path, source: errno.into() })
    }

    pub(super) fn must_exist(&self, id: &str) -> Result<(), RecordError> {
        match self.record_file(id).exists() {
            true => Ok(()),
            false => Err(RecordError::NotFound { reference: id.to_owned() }),
        }
    }
}
