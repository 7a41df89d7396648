//! Who carries out a step: others who want its result wait.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use coracle_image::Digest;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::Cache;

/// The right to carry out a step, or to use a cache mount alone. It ends with the process, however that ends.
#[derive(Debug)]
pub(in crate::exec) struct StepLock {
    path: PathBuf,
    _file: File,
    /// Its file goes with it.
    passes: bool,
}

impl Drop for StepLock {
    fn drop(&mut self) {
        if self.passes {
            // Before the lock ends: whoever opened the file meanwhile sees that it is another.
            drop(fs::remove_file(&self.path));
        }
    }
}

impl Cache {
    /// Takes the lock of a step; `None` when somebody has it.
    pub(in crate::exec) fn try_lock(&self, id: &Digest) -> io::Result<Option<StepLock>> {
        try_lock(&self.root.join("locks").join(id.hex()), true)
    }
}

/// Takes a lock file; `None` when somebody has it.
pub(super) fn try_lock(path: &Path, passes: bool) -> io::Result<Option<StepLock>> {
    loop {
        let mut options = fs::OpenOptions::new();
        let file = options.write(true).create(true).truncate(false).mode(0o600).open(path)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => return Ok(None),
            taken => taken?,
        }
        let ours = file.metadata()?;
        if fs::metadata(path).is_ok_and(|there| there.ino() == ours.ino()) {
            return Ok(Some(StepLock { path: path.to_owned(), _file: file, passes }));
        }
    }
}
