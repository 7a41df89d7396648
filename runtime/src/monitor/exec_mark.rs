//! Which `exec` sessions of a container live: a file for each, locked by its process.
//!
//! A session that was killed leaves its file, but not the lock. All files go with the
//! container's runtime folder.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

/// Where the files are, in the runtime folder of a container.
const FOLDER: &str = "exec";

/// The sign of one session, for as long as it is kept.
#[derive(Debug)]
pub(super) struct ExecMark {
    path: PathBuf,
    _locked: File,
}

impl ExecMark {
    /// Marks the session `id` of the container with this runtime folder.
    pub(super) fn put(runtime_folder: &Path, id: &str) -> io::Result<Self> {
        let folder = runtime_folder.join(FOLDER);
        // Not its parents: the runtime folder of a container that ends is not made again.
        match DirBuilder::new().mode(0o700).create(&folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let path = folder.join(id);
        let file = File::create_new(&path)?;
        flock(&file, FlockOperation::LockExclusive)?;
        Ok(Self { path, _locked: file })
    }
}

impl Drop for ExecMark {
    fn drop(&mut self) {
        // Gone already when the container has ended.
        drop(fs::remove_file(&self.path));
    }
}

/// The sessions that live, by id: files made at once have the same time.
pub(crate) fn living(runtime_folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(runtime_folder.join(FOLDER)).into_iter().flatten().flatten();
    let mut found: Vec<String> = entries
        .filter(|entry| is_locked(&entry.path()))
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    found.sort();
    found
}

/// Whether somebody holds the file.
fn is_locked(path: &Path) -> bool {
    let Ok(file) = File::open(path) else { return false };
    flock(&file, FlockOperation::NonBlockingLockShared).is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_counts_while_it_is_held() {
        let folder = tempfile::tempdir().unwrap();
        assert!(living(folder.path()).is_empty());
        let first = ExecMark::put(folder.path(), "b1").unwrap();
        let second = ExecMark::put(folder.path(), "a2").unwrap();
        assert_eq!(living(folder.path()), ["a2", "b1"]);
        drop(first);
        assert_eq!(living(folder.path()), ["a2"]);
        drop(second);
        assert!(ExecMark::put(&folder.path().join("gone"), "c3").is_err());
        assert!(!folder.path().join("gone").exists());
        fs::write(folder.path().join("exec/dead"), "").unwrap();
        assert!(living(folder.path()).is_empty());
    }
}
