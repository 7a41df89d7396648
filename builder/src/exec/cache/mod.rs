//! What was made before: results of steps by their id, and what cache mounts hold.
//!
//! ```text
//! builder/cache/1/results/HEX        what a step made: its layer, when, and what it was
//!                         HEX.used   a byte for each use; its time is that of the last one
//!                 contents/HEX       digest of a part of a result, by that result's id and the part
//!                 locks/HEX          held by whoever carries out the step of that id
//!                 mounts/HEX/        a cache mount: data, mount.json, lock, and used, which who uses it has locked
//!                 collected          its time is when what is too much was last looked for
//! ```
//!
//! # How it works
//!
//! Files are written beside and renamed, so each is whole or not there; one that cannot be read is as good as none. A
//! result counts while its layer is in the store: layers that no image has are kept by [`coracle_image::Store::keep_layers`],
//! and let go when the result is. The folder's name is the version of the form: another version has another folder.
//!
//! # Limits
//!
//! Uses are counted up to the size that a file may have.

mod collect;
mod lock;
mod mounts;
mod prune;
mod record;
mod usage;

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use coracle_image::Digest;
use coracle_runtime::paths::make_private;

pub(super) use collect::collect_when_due;
pub(super) use lock::StepLock;
pub(super) use mounts::{Held as CacheHeld, Wanted as CacheWanted};
pub use prune::{Pruned, prune};
pub(super) use record::{Kind, Record};
pub use usage::{Usage, UsageKind, usage};

/// The form of what is in the folder.
const FORM: &str = "1";
/// Digests of files of contexts, beside it.
pub(super) const HASHES: &str = "hashes";
/// Between the name of a file and the process that writes it.
const UNFINISHED: &str = ".new.";

/// The cache of a data root.
#[derive(Debug, Clone)]
pub(super) struct Cache {
    root: PathBuf,
}

impl Cache {
    /// That of the data root `data`, whether or not there is one.
    pub(super) fn at(data: &Path) -> Self {
        Self { root: data.join("builder/cache").join(FORM) }
    }

    /// Makes its folders.
    pub(super) fn make(&self) -> io::Result<()> {
        for name in ["results", "contents", "locks", "mounts"] {
            make_private(&self.root.join(name)).map_err(io::Error::other)?;
        }
        Ok(())
    }

    fn result(&self, id: &Digest) -> PathBuf {
        self.root.join("results").join(id.hex())
    }

    /// What a step made.
    pub(super) fn get(&self, id: &Digest) -> Option<Record> {
        let bytes = fs::read(self.result(id)).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    pub(super) fn put(&self, id: &Digest, record: &Record) -> io::Result<()> {
        let bytes = serde_json::to_vec(record).map_err(io::Error::other)?;
        replace(&self.result(id), &bytes)
    }

    /// Counts a use.
    pub(super) fn touch(&self, id: &Digest) {
        let path = self.result(id).with_extension("used");
        let open = fs::OpenOptions::new().append(true).create(true).mode(0o600).open(path);
        // Nobody misses one that is not counted.
        drop(open.and_then(|mut file| file.write_all(b".")));
    }

    /// The ids of all results.
    fn ids(&self) -> Vec<Digest> {
        names(&self.root.join("results"))
            .into_iter()
            .filter_map(|name| Digest::from_hex(&name).ok())
            .collect()
    }

    fn forget(&self, id: &Digest) {
        // What is not there needs no removing.
        drop(fs::remove_file(self.result(id)));
        drop(fs::remove_file(self.result(id).with_extension("used")));
    }

    /// The digest of a part of a result that was read before.
    pub(super) fn content(&self, part: &Digest) -> Option<String> {
        fs::read_to_string(self.root.join("contents").join(part.hex())).ok()
    }

    pub(super) fn put_content(&self, part: &Digest, content: &str) -> io::Result<()> {
        replace(&self.root.join("contents").join(part.hex()), content.as_bytes())
    }
}

impl Cache {
    /// Removes files that writers have left who were killed, and locks that nobody holds.
    fn sweep_unfinished(&self) {
        let locks = self.root.join("locks");
        for name in names(&locks) {
            // It goes with the lock.
            drop(lock::try_lock(&locks.join(name), true));
        }
        for folder in ["results", "contents"].map(|name| self.root.join(name)) {
            for name in names(&folder) {
                let writer = name.rsplit_once(UNFINISHED).map(|(_, writer)| writer);
                if writer.is_some_and(|writer| !Path::new("/proc").join(writer).exists()) {
                    drop(fs::remove_file(folder.join(name)));
                }
            }
        }
    }

    /// Removes what was only remembered of results and of files.
    fn forget_digests(&self) {
        let contents = self.root.join("contents");
        for name in names(&contents).iter().filter(|name| !name.contains(UNFINISHED)) {
            drop(fs::remove_file(contents.join(name)));
        }
        drop(fs::remove_file(self.root.with_file_name(HASHES)));
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

/// Writes a file whole or not at all.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut new = path.as_os_str().to_owned();
    new.push(format!("{UNFINISHED}{}", std::process::id()));
    fs::write(&new, bytes)?;
    fs::rename(&new, path)
}

#[cfg(test)]
mod tests;
