//! Work in progress: one directory per process, locked while that process lives.
//!
//! The lock is on the directory itself. Who finds a directory unlocked knows that
//! its owner is gone, in whatever PID namespace it lived, and may remove it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{FlockOperation, flock};

use super::{Store, fsutil};
use crate::error::{ImageError, Result};

/// Attempts to make a directory that no one collects at the same moment.
const ATTEMPTS_MAX: u32 = 100;

/// This process's directory below `tmp`; removed when dropped.
#[derive(Debug)]
pub(super) struct Workspace {
    path: PathBuf,
    next: AtomicU64,
    _lock: File,
}

impl Workspace {
    fn create(tmp: &Path) -> Result<Self> {
        for attempt in 0..ATTEMPTS_MAX {
            let nanos = chrono::Utc::now().timestamp_nanos_opt().unwrap_or_default();
            let path = tmp.join(format!("{}-{nanos:x}-{attempt}", std::process::id()));
            match std::fs::create_dir(&path) {
                Ok(()) => {}
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => continue,
                Err(e) => return Err(ImageError::io("create", &path)(e)),
            }
            let Ok(lock) = File::open(&path) else { continue };
            // Between `create_dir` and the lock a collector may have taken it for dead.
            if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok()
                && fsutil::is_same_file(&lock, &path)
            {
                return Ok(Self { path, next: AtomicU64::new(0), _lock: lock });
            }
        }
        let source = std::io::Error::other("other processes keep removing it");
        Err(ImageError::Io { doing: "create a directory in", path: tmp.to_owned(), source })
    }

    /// A path in the workspace that nothing uses yet.
    fn fresh(&self, kind: &str) -> PathBuf {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        // Children that were forked count on from the same number.
        self.path.join(format!("{kind}-{}-{number}", std::process::id()))
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next `recover`.
        drop(fsutil::remove_tree(&self.path));
    }
}

impl Store {
    /// A fresh path for work in progress, on the store's file system.
    pub(crate) fn tmp_path(&self, kind: &str) -> Result<PathBuf> {
        if let Some(workspace) = self.workspace.get() {
            return Ok(workspace.fresh(kind));
        }
        // The next command after a crash clears up; what it cannot remove stays for another.
        drop(self.sweep_tmp());
        let made = Workspace::create(&self.root.join("tmp"))?;
        // Should another thread have been faster, ours is dropped and so removed.
        Ok(self.workspace.get_or_init(|| made).fresh(kind))
    }

    /// Removes what dead processes left below `tmp`; returns how many entries that were.
    pub(super) fn sweep_tmp(&self) -> Result<usize> {
        let tmp = self.root.join("tmp");
        let mut removed = 0;
        for entry in std::fs::read_dir(&tmp).map_err(ImageError::io("read", &tmp))? {
            let path = entry.map_err(ImageError::io("read", &tmp))?.path();
            let Ok(open) = File::open(&path) else { continue };
            if flock(&open, FlockOperation::NonBlockingLockExclusive).is_err() {
                continue;
            }
            if fsutil::remove_tree(&path).is_ok() {
                removed += 1;
            }
        }
        Ok(removed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::StoreOptions;

    #[test]
    fn a_dead_process_leaves_nothing_and_a_living_one_keeps_its_work() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), StoreOptions::default()).unwrap();
        let living = store.tmp_path("blob").unwrap();
        std::fs::write(&living, "half").unwrap();
        let dead = dir.path().join("tmp/1-0-0");
        std::fs::create_dir(&dead).unwrap();
        std::fs::write(dead.join("blob-0"), "half").unwrap();

        // Another process begins to work.
        let other = Store::open(dir.path(), StoreOptions::default()).unwrap();
        other.tmp_path("blob").unwrap();
        assert!(living.exists() && !dead.exists());
        drop(other);

        drop(store);
        assert!(!living.exists());
        assert_eq!(std::fs::read_dir(dir.path().join("tmp")).unwrap().count(), 0);
    }
}
