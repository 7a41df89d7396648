//! Who carries out a step: others who want its result wait. Who uses a cache mount: it stays meanwhile.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use coracle_image::Digest;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::Cache;

/// The right to carry out a step, or to use a cache mount alone. It ends with the process, however that ends.
#[derive(Debug)]
pub(in crate::exec) struct StepLock {
    path: PathBuf,
    file: File,
    /// Its file goes with it.
    passes: bool,
}

impl Drop for StepLock {
    fn drop(&mut self) {
        if self.passes {
            // Before the lock ends: whoever opened the file meanwhile sees that it is another.
            drop(fs::remove_file(&self.path));
        }
        unlock(&self.file);
    }
}

/// The use of something together with others. It ends with the process, however that ends.
#[derive(Debug)]
pub(super) struct UseLock(File);

impl UseLock {
    /// The time of the file is that of the last use.
    pub(super) fn touch(&self) -> io::Result<()> {
        self.0.set_modified(SystemTime::now())
    }
}

impl Drop for UseLock {
    fn drop(&mut self) {
        unlock(&self.0);
    }
}

/// A child that goes on has the file as well, and must not keep the lock.
fn unlock(file: &File) {
    // It ends with the last descriptor at the latest.
    flock(file, FlockOperation::Unlock).ok();
}

impl Cache {
    /// Takes the lock of a step; `None` when somebody has it.
    pub(in crate::exec) fn try_lock(&self, id: &Digest) -> io::Result<Option<StepLock>> {
        try_lock(&self.root.join("locks").join(id.hex()), true)
    }
}

/// Takes a lock file; `None` when somebody has it.
pub(super) fn try_lock(path: &Path, passes: bool) -> io::Result<Option<StepLock>> {
    let file = take(path, FlockOperation::NonBlockingLockExclusive)?;
    Ok(file.map(|file| StepLock { path: path.to_owned(), file, passes }))
}

/// Takes a lock file that others may take so too; `None` when somebody has it alone.
pub(super) fn try_use(path: &Path) -> io::Result<Option<UseLock>> {
    Ok(take(path, FlockOperation::NonBlockingLockShared)?.map(UseLock))
}

/// Whether anybody has a lock file; one that is not there is nobody's.
pub(super) fn is_held(path: &Path) -> bool {
    // Who is alone for a moment is met by nobody who waits: all of them try again.
    let Ok(file) = File::open(path) else { return false };
    flock(&file, FlockOperation::NonBlockingLockExclusive).is_err()
}

fn take(path: &Path, operation: FlockOperation) -> io::Result<Option<File>> {
    loop {
        let mut options = fs::OpenOptions::new();
        let file = options.write(true).create(true).truncate(false).mode(0o600).open(path)?;
        match flock(&file, operation) {
            Err(Errno::WOULDBLOCK) => return Ok(None),
            taken => taken?,
        }
        let ours = file.metadata()?;
        if fs::metadata(path).is_ok_and(|there| there.ino() == ours.ino()) {
            return Ok(Some(file));
        }
    }
}
