//! The store's locks: who may add, who may collect, who unpacks a layer.
//!
//! All are `flock`s, so they vanish with their process, however it dies.

use std::fs::File;
use std::io;
use std::sync::PoisonError;

use rustix::fs::{FlockOperation, flock};

use super::{Store, fsutil};
use crate::digest::Digest;
use crate::error::{ImageError, Result};

/// While it lives, nothing in the store is collected.
#[derive(Debug)]
pub struct Hold {
    file: File,
}

/// The right to download and unpack one layer; others wait in [`Store::lock_layer`].
#[derive(Debug)]
pub struct LayerLock {
    _file: File,
}

impl Store {
    /// Keeps every blob and layer in place until the result is dropped.
    ///
    /// Taken by whoever looks layers up in order to use them: a pull, a container
    /// being created. Cheap: one `open` and one `flock`.
    pub fn hold(&self) -> Result<Hold> {
        let path = self.root.join("store.lock");
        let file = fsutil::open_lock(&path)?;
        lock_wait(&file, FlockOperation::LockShared).map_err(ImageError::io("lock", &path))?;
        Ok(Hold { file })
    }

    /// Takes the hold of this store itself, once; it lasts until the store is dropped.
    pub(super) fn ensure_hold(&self) -> Result<()> {
        let mut hold = self.hold.lock().unwrap_or_else(PoisonError::into_inner);
        if hold.is_none() {
            *hold = Some(self.hold()?);
        }
        Ok(())
    }

    /// Runs `work` while no one else adds or uses content.
    ///
    /// Returns `None` without waiting when someone does: garbage can wait, people cannot.
    pub(super) fn exclusively<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<Option<T>> {
        self.ensure_hold()?;
        let hold = self.hold.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(hold) = hold.as_ref() else { return Ok(None) };
        let path = self.root.join("store.lock");
        match flock(&hold.file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                // A conversion that fails has dropped the shared lock: take it again.
                lock_wait(&hold.file, FlockOperation::LockShared)
                    .map_err(ImageError::io("lock", &path))?;
                return Ok(None);
            }
            Err(errno) => return Err(ImageError::io("lock", &path)(errno)),
        }
        let outcome = work();
        lock_wait(&hold.file, FlockOperation::LockShared).map_err(ImageError::io("lock", &path))?;
        outcome.map(Some)
    }

    /// Waits for the right to add the layer `diff_id`, across processes.
    ///
    /// Afterwards ask [`Store::has_layer`] again: whoever held the lock before may
    /// have finished the work.
    pub fn lock_layer(&self, diff_id: &Digest) -> Result<LayerLock> {
        self.ensure_hold()?;
        let path = self.root.join("tmp").join(format!("layer-{}.lock", diff_id.hex()));
        loop {
            let file = fsutil::open_lock(&path)?;
            lock_wait(&file, FlockOperation::LockExclusive)
                .map_err(ImageError::io("lock", &path))?;
            // `recover` may have removed the file while we waited for it.
            if fsutil::is_same_file(&file, &path) {
                return Ok(LayerLock { _file: file });
            }
        }
    }
}

/// Waits for a lock through interruptions by signals.
pub(super) fn lock_wait(file: &File, operation: FlockOperation) -> io::Result<()> {
    loop {
        match flock(file, operation) {
            Err(rustix::io::Errno::INTR) => {}
            other => return other.map_err(Into::into),
        }
    }
}
