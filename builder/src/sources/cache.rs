//! What was fetched before, in the build home: bodies of web servers and files of commits.
//!
//! # How it works
//!
//! One folder for each thing, named by the digest of what it was fetched as. It is made under another name and
//! renamed, so that it is there as a whole or not at all, and whoever comes second throws his own away. Whoever takes
//! from it touches it; beyond the bounds those go that nobody touched for longest.
//!
//! # Limits
//!
//! [`ENTRIES_MAX`](crate::limits::SOURCES_KEPT_MAX) entries with
//! [`BYTES_MAX`](crate::limits::SOURCES_KEPT_BYTES_MAX) bytes, but nothing goes that was used in the last hour: a
//! build may be at it.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use coracle_image::Digest;

use super::error::SourceError;
use crate::limits::{SOURCES_KEPT_BYTES_MAX, SOURCES_KEPT_MAX};

/// So long a build may read what it was given.
const IN_USE: Duration = Duration::from_secs(60 * 60);
/// Begins the name of what is not finished.
const UNFINISHED: &str = "new-";

/// A folder for what was fetched. It need not be there yet.
#[derive(Debug, Clone)]
pub struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// `folder`: of its own, such as `sources` of the build home.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Where a version of something is, or will be. `kind` keeps those apart that are named alike.
    pub(super) fn place(&self, kind: &str, name: &str, version: &str) -> PathBuf {
        let version = Digest::of(version.as_bytes());
        self.folder.join(format!("{}{}", beginning(kind, name), version.hex()))
    }

    /// The versions that are here, the one first that was used last.
    pub(super) fn places(&self, kind: &str, name: &str) -> Vec<PathBuf> {
        let beginning = beginning(kind, name);
        let Ok(listed) = fs::read_dir(&self.folder) else { return Vec::new() };
        let mut found: Vec<_> = (listed.flatten())
            .filter(|entry| entry.file_name().to_string_lossy().starts_with(&beginning))
            .filter_map(|entry| {
                let about = entry.metadata().ok()?;
                Some(((about.ctime(), about.ctime_nsec()), entry.path()))
            })
            .collect();
        found.sort_by_key(|(used, _)| std::cmp::Reverse(*used));
        found.into_iter().map(|(_, path)| path).collect()
    }

    /// A new folder for what is not finished; it is swept when nobody finishes it.
    pub(super) fn unfinished(&self) -> Result<PathBuf, SourceError> {
        let mut builder = fs::DirBuilder::new();
        let made = builder.mode(0o700).recursive(true).create(&self.folder);
        made.map_err(SourceError::file("make", &self.folder))?;
        builder.recursive(false);
        loop {
            let number = any_number();
            let path = self.folder.join(format!("{UNFINISHED}{number:016x}"));
            match builder.create(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => {
                    made.map_err(SourceError::file("make", &path))?;
                    return Ok(path);
                }
            }
        }
    }

    /// Gives what is finished its place. Somebody may have been faster: then his is as good.
    pub(super) fn finish(&self, unfinished: &Path, place: &Path) -> Result<(), SourceError> {
        match fs::rename(unfinished, place) {
            Ok(()) => Ok(()),
            Err(_) if place.is_dir() => {
                touch(place);
                remove(unfinished);
                Ok(())
            }
            Err(error) => {
                remove(unfinished);
                Err(SourceError::file("make", place)(error))
            }
        }
    }

    /// Bytes that are kept.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.entries().iter().map(|entry| entry.bytes).sum()
    }

    /// Takes away what is beyond the bounds, and what was begun long ago. What cannot be removed stays.
    pub fn tidy(&self, now: SystemTime) {
        let bounds =
            Bounds { entries: SOURCES_KEPT_MAX, bytes: SOURCES_KEPT_BYTES_MAX, idle: IN_USE };
        for path in surplus(self.entries(), bounds, now) {
            remove(&path);
        }
    }

    /// Takes away all that no build may be at; how many bytes that were.
    pub fn clear(&self, now: SystemTime) -> u64 {
        let before = self.bytes();
        let bounds = Bounds { entries: 0, bytes: 0, idle: IN_USE };
        for path in surplus(self.entries(), bounds, now) {
            remove(&path);
        }
        before.saturating_sub(self.bytes())
    }

    fn entries(&self) -> Vec<Entry> {
        let Ok(listed) = fs::read_dir(&self.folder) else { return Vec::new() };
        let entry = |found: fs::DirEntry| {
            let about = found.metadata().ok()?;
            let seconds = u64::try_from(about.ctime()).unwrap_or(0);
            Some(Entry {
                used: UNIX_EPOCH + Duration::from_secs(seconds),
                bytes: size_of(&found.path()),
                is_unfinished: found.file_name().to_string_lossy().starts_with(UNFINISHED),
                path: found.path(),
            })
        };
        listed.flatten().filter_map(entry).collect()
    }
}

#[derive(Debug, Clone)]
struct Entry {
    path: PathBuf,
    used: SystemTime,
    bytes: u64,
    is_unfinished: bool,
}

#[derive(Debug, Clone, Copy)]
struct Bounds {
    entries: usize,
    bytes: u64,
    idle: Duration,
}

/// What goes, those first that were not used for longest.
fn surplus(mut entries: Vec<Entry>, bounds: Bounds, now: SystemTime) -> Vec<PathBuf> {
    entries.sort_by_key(|entry| entry.used);
    let mut count = entries.len();
    let mut bytes: u64 = entries.iter().map(|entry| entry.bytes).sum();
    let mut gone = Vec::new();
    for entry in entries {
        let idle = now.duration_since(entry.used).unwrap_or_default() >= bounds.idle;
        let beyond = count > bounds.entries || bytes > bounds.bytes;
        if idle && (beyond || entry.is_unfinished) {
            count -= 1;
            bytes = bytes.saturating_sub(entry.bytes);
            gone.push(entry.path);
        }
    }
    gone
}

/// Notes that something is used.
pub(super) fn touch(path: &Path) {
    // Only what is used by whoever owns it is noted, which is enough: nobody else can.
    let Ok(about) = fs::metadata(path) else { return };
    drop(fs::set_permissions(path, about.permissions()));
}

pub(super) fn remove(path: &Path) {
    // The next sweep comes.
    drop(fs::remove_dir_all(path));
}

/// Bytes of a folder. Links are not followed.
fn size_of(path: &Path) -> u64 {
    let Ok(listed) = fs::read_dir(path) else { return 0 };
    let size = |found: fs::DirEntry| match found.metadata() {
        Ok(about) if about.is_dir() => size_of(&found.path()),
        Ok(about) => about.blocks() * 512,
        Err(_) => 0,
    };
    listed.flatten().map(size).sum()
}

fn beginning(kind: &str, name: &str) -> String {
    format!("{kind}-{}-", Digest::of(name.as_bytes()).short())
}

fn any_number() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, age: u64, bytes: u64) -> Entry {
        let used = UNIX_EPOCH + Duration::from_secs(100_000 - age);
        let is_unfinished = name.starts_with(UNFINISHED);
        Entry { path: name.into(), used, bytes, is_unfinished }
    }

    #[test]
    fn the_longest_unused_go_and_what_is_in_use_stays() {
        let now = UNIX_EPOCH + Duration::from_secs(100_000);
        let bounds = Bounds { entries: 2, bytes: 100, idle: Duration::from_secs(10) };
        let entries = [
            entry("young", 1, 90),
            entry("old", 30, 5),
            entry("older", 40, 5),
            entry("oldest", 50, 5),
            entry("new-1", 20, 1),
            entry("new-2", 2, 1),
        ];
        let gone = surplus(entries.to_vec(), bounds, now);
        assert_eq!(gone, ["oldest", "older", "old", "new-1"].map(PathBuf::from));
        let gone = surplus(vec![entry("a", 99, 40), entry("b", 98, 40)], bounds, now);
        assert!(gone.is_empty());
    }

    #[test]
    fn who_comes_second_takes_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().join("sources"));
        let place = cache.place("git", "x", "1");
        for text in ["one", "two"] {
            let new = cache.unfinished().unwrap();
            fs::write(new.join("f"), text).unwrap();
            cache.finish(&new, &place).unwrap();
        }
        assert_eq!(cache.places("git", "x"), std::slice::from_ref(&place));
        assert!(cache.places("git", "y").is_empty());
        assert_eq!(fs::read_to_string(place.join("f")).unwrap(), "one");
        assert_eq!(fs::read_dir(folder.path().join("sources")).unwrap().count(), 1);
        cache.clear(SystemTime::now());
        assert!(place.exists(), "it was just made");
        cache.clear(SystemTime::now() + IN_USE + Duration::from_secs(5));
        assert!(!place.exists());
    }
}
