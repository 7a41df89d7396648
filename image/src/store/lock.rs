//! The store's locks: who may add, who may collect, who unpacks a layer.
//!
//! All are `flock`s, so they vanish with their process, however it dies.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::sync::PoisonError;
use std::time::Duration;

use coracle_sys::file_lock::{self, Share};
use rustix::fs::{FlockOperation, flock};

use super::{Store, fsutil};
use crate::digest::Digest;
use crate::error::{ImageError, Result};

/// How long whoever removes unused content is waited for.
const COLLECTING: Duration = Duration::from_secs(600);
/// How long whoever downloads and unpacks the same layer is waited for: a big one, a slow disk.
const UNPACKING: Duration = Duration::from_secs(3600);
/// How long whoever changes the index is waited for.
pub(super) const INDEXING: Duration = Duration::from_secs(60);

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
        lock_wait(&file, Share::WithOthers, COLLECTING).map_err(ImageError::io("lock", &path))?;
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
                lock_wait(&hold.file, Share::WithOthers, COLLECTING)
                    .map_err(ImageError::io("lock", &path))?;
                return Ok(None);
            }
            Err(errno) => return Err(ImageError::io("lock", &path)(errno)),
        }
        let outcome = work();
        lock_wait(&hold.file, Share::WithOthers, COLLECTING)
            .map_err(ImageError::io("lock", &path))?;
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
            lock_wait(&file, Share::Alone, UNPACKING).map_err(ImageError::io("lock", &path))?;
            // `recover` may have removed the file while we waited for it.
            if fsutil::is_same_file(&file, &path) {
                return Ok(LayerLock { _file: file });
            }
        }
    }
}

/// Waits for a lock, with a bound; the error names who has it.
pub(super) fn lock_wait(file: &File, share: Share, patience: Duration) -> io::Result<()> {
    file_lock::wait(share, file.as_fd(), patience).map_err(|error| error.into_io(patience))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_holds_a_lock_for_long_is_named() {
        let temp = tempfile::tempdir().unwrap();
        let open = || fsutil::open_lock(&temp.path().join("lock")).unwrap();
        let (first, second) = (open(), open());
        lock_wait(&first, Share::Alone, Duration::ZERO).unwrap();
        let error = lock_wait(&second, Share::WithOthers, Duration::from_millis(5)).unwrap_err();
        let me = std::process::id();
        assert!(error.to_string().starts_with(&format!("process {me} (")), "{error}");
        drop(first);
        lock_wait(&second, Share::WithOthers, Duration::ZERO).unwrap();
    }
}
