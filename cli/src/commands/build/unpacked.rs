//! A context that came as an archive: a folder that goes with the build.
//!
//! # How it works
//!
//! The folder lies in `builder/contexts` of the data root, is locked while it is in use, and removed with its last
//! user. What a killed build left is not locked, and goes when the next archive comes.

use std::fs::{self, File, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use coracle_builder::files::unpack_context;
use rustix::fs::{FlockOperation, flock};

use super::args::failed;
use crate::error::CliError;

/// An unpacked archive.
#[derive(Debug)]
pub(crate) struct Unpacked {
    folder: PathBuf,
    _lock: File,
}

impl Drop for Unpacked {
    fn drop(&mut self) {
        // What stays goes with the next one.
        drop(remove(&self.folder));
    }
}

impl Unpacked {
    /// A folder with nothing in it; `data`: the data root.
    pub(crate) fn empty(data: &Path) -> Result<Self, CliError> {
        Self::new(&data.join("builder/contexts"))
            .map_err(|error| failed(&format!("cannot make a folder for the context: {error}")))
    }

    fn new(all: &Path) -> io::Result<Self> {
        let private = |path: &Path| fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
        private(all)?;
        sweep(all);
        let me = std::process::id();
        let free = |number: &u32| !all.join(format!("{me}-{number}")).exists();
        let number = (0..).find(free).unwrap_or_default();
        let folder = all.join(format!("{me}-{number}"));
        private(&folder)?;
        let lock = File::open(&folder)?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
        Ok(Self { folder, _lock: lock })
    }

    /// Unpacks an archive.
    pub(crate) fn make(archive: &mut dyn Read, data: &Path) -> Result<Self, CliError> {
        let made = Self::empty(data)?;
        unpack_context(archive, made.folder()).map_err(|error| {
            let mut words = error.to_string();
            if let Some(cause) = std::error::Error::source(&error) {
                words = format!("{words}: {cause}");
            }
            failed(&format!("failed to solve: failed to read downloaded context: {words}"))
        })?;
        Ok(made)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

/// Removes what nobody uses.
fn sweep(all: &Path) {
    let Ok(listed) = fs::read_dir(all) else { return };
    for entry in listed.flatten() {
        let Ok(folder) = File::open(entry.path()) else { continue };
        if flock(&folder, FlockOperation::NonBlockingLockExclusive).is_ok() {
            // What stays is met again.
            drop(remove(&entry.path()));
        }
    }
}

/// Folders that their owner may not read are opened first.
fn remove(folder: &Path) -> io::Result<()> {
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        fs::set_permissions(&folder, Permissions::from_mode(0o700))?;
        for entry in fs::read_dir(&folder)?.flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                open.push(entry.path());
            }
        }
    }
    fs::remove_dir_all(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive() -> Vec<u8> {
        let mut header = [0_u8; 512];
        header[..6].copy_from_slice(b"closed");
        header[100..108].copy_from_slice(b"0000000\0");
        header[108..116].copy_from_slice(b"0000000\0");
        header[116..124].copy_from_slice(b"0000000\0");
        header[124..136].copy_from_slice(b"00000000000\0");
        header[136..148].copy_from_slice(b"00000000000\0");
        header[148..156].fill(b' ');
        header[156] = b'5';
        header[257..265].copy_from_slice(b"ustar\x0000");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        let mut archive = header.to_vec();
        archive.resize(archive.len() + 1024, 0);
        archive
    }

    #[test]
    fn it_goes_with_its_user_and_what_is_left_goes_with_the_next() {
        let data = tempfile::tempdir().unwrap();
        let make = || Unpacked::make(&mut archive().as_slice(), data.path()).unwrap();
        let left = data.path().join("builder/contexts/1-0");
        fs::create_dir_all(left.join("sub")).unwrap();
        let first = make();
        assert!(!left.exists());
        assert!(first.folder().join("closed").is_dir());
        let second = make();
        assert!(first.folder().exists(), "one in use stays");
        let folder = second.folder().to_owned();
        drop(second);
        assert!(!folder.exists());
        drop(first);
        assert_eq!(fs::read_dir(data.path().join("builder/contexts")).unwrap().count(), 0);
        assert!(Unpacked::make(&mut &b"none"[..], data.path()).is_err());
    }
}
