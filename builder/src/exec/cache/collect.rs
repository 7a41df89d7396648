//! Bounds the cache: once in a while a build that has added to it removes what was not used for longest.
//!
//! # Limits
//!
//! The cache keeps a tenth of the disk, and 2 GB on small ones, as BuildKit does by default. It is looked at once an hour,
//! so that no build pays for it often. Digests of parts, which are a few bytes each, stay for 60 days.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use coracle_image::Store;

use super::{Cache, prune};

/// The part of the disk that the cache may have.
const SHARE: u64 = 10;
const BYTES_MIN: u64 = 2_000_000_000;
const EVERY: Duration = Duration::from_secs(60 * 60);
const CONTENTS_FOR: Duration = Duration::from_secs(60 * 24 * 60 * 60);

/// Removes what is too much, if that was not looked for lately. Whoever calls has entered the namespaces.
pub(in crate::exec) fn collect_when_due(data: &Path, store: &Store, now: SystemTime) {
    let cache = Cache::at(data);
    let mark = cache.root.join("collected");
    if !is_due(&mark, now) || fs::write(&mark, "").is_err() {
        return;
    }
    // Where nobody can tell what images have, all of it is left alone.
    let (Ok(images), Ok(disk)) = (store.images(), rustix::fs::statvfs(data)) else { return };
    let keeps = bytes_max(disk.f_blocks.saturating_mul(disk.f_frsize));
    prune(data, store, &images, &|_| true, Some(keeps));
    cache.forget_contents(&|age| age > CONTENTS_FOR, now);
}

fn is_due(mark: &Path, now: SystemTime) -> bool {
    let last = fs::metadata(mark).and_then(|meta| meta.modified());
    // A clock that was set back is no reason to wait.
    !last.is_ok_and(|last| now.duration_since(last).is_ok_and(|age| age < EVERY))
}

fn bytes_max(disk: u64) -> u64 {
    (disk / SHARE).max(BYTES_MIN)
}

impl Cache {
    /// Removes digests of parts by their age.
    fn forget_contents(&self, goes: &dyn Fn(Duration) -> bool, now: SystemTime) {
        for entry in fs::read_dir(self.root.join("contents")).into_iter().flatten().flatten() {
            let made = entry.metadata().and_then(|meta| meta.modified());
            let age = made.ok().and_then(|made| now.duration_since(made).ok());
            if age.is_some_and(goes) {
                // One that stays is found old again.
                drop(fs::remove_file(entry.path()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_looked_at_once_an_hour_and_keeps_a_tenth() {
        let temp = tempfile::tempdir().unwrap();
        let mark = temp.path().join("collected");
        let now = SystemTime::now();
        assert!(is_due(&mark, now));
        fs::write(&mark, "").unwrap();
        assert!(!is_due(&mark, now + Duration::from_secs(60)));
        assert!(is_due(&mark, now + 2 * EVERY));
        assert!(is_due(&mark, now - 2 * EVERY), "the clock was set back");
        assert_eq!(bytes_max(100_000_000_000), 10_000_000_000);
        assert_eq!(bytes_max(1_000_000_000), BYTES_MIN);
    }

    #[test]
    fn digests_of_parts_go_when_they_are_old() {
        let temp = tempfile::tempdir().unwrap();
        let cache = Cache::at(temp.path());
        cache.make().unwrap();
        let part = coracle_image::Digest::of(b"part");
        cache.put_content(&part, "x").unwrap();
        let now = SystemTime::now();
        cache.forget_contents(&|age| age > CONTENTS_FOR, now);
        assert_eq!(cache.content(&part).as_deref(), Some("x"));
        cache.forget_contents(&|age| age > CONTENTS_FOR, now + 2 * CONTENTS_FOR);
        assert_eq!(cache.content(&part), None);
    }
}
