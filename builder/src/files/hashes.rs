//! Digests of files that were hashed before, so that what did not change is not read again.
//!
//! # How it works
//!
//! One file of records, sorted by device and inode, found by bisection in what was read of it. A record counts while
//! size, times and inode are the same; the time of change (`ctime`) cannot be set back by who writes a file. A file
//! that changed within the last moment is not remembered: it might change again without a new time.
//!
//! The file ends in a digest of itself and is replaced by rename: one that is damaged is as good as none. Who saves adds
//! what is new to what others saved meanwhile, under a lock.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use coracle_image::Digest;
use rustix::fs::{FlockOperation, Stat, flock};

use super::limits::HASHES_MAX;

const MAGIC: &[u8; 16] = b"coracle-hashes 1";

/// Device, inode, size, seconds and nanoseconds of both times, day of use, digest.
const RECORD: usize = 8 + 8 + 8 + 8 + 8 + 4 + 4 + 4 + 32;

/// Bytes of a digest.
const DIGEST: usize = 32;

/// How old the last change must be for a file to be remembered.
const MOMENT: Duration = Duration::from_secs(1);

/// Days after which the day of use is written anew.
const USE_DAYS: u32 = 7;

#[derive(Debug, Default)]
pub struct Hashes {
    path: Option<PathBuf>,
    /// Records of the file.
    saved: Vec<u8>,
    new: BTreeMap<(u64, u64), Record>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Record {
    key: [u8; RECORD - DIGEST - 4],
    used: u32,
    digest: [u8; DIGEST],
}

impl Hashes {
    /// What was remembered in the file at `path`; nothing when it is not there or damaged.
    #[must_use]
    pub fn open(path: &Path) -> Self {
        Self { path: Some(path.to_owned()), saved: read(path), new: BTreeMap::new() }
    }

    /// Remembers until it is dropped.
    #[must_use]
    pub fn in_memory() -> Self {
        Self::default()
    }

    pub(super) fn get(&mut self, stat: &Stat, now: SystemTime) -> Option<[u8; DIGEST]> {
        let place = place(stat);
        let record = match self.new.get(&place) {
            Some(record) => *record,
            None => find(&self.saved, place)?,
        };
        if record.key != key(stat) {
            return None;
        }
        let today = day(now);
        if record.used.saturating_add(USE_DAYS) < today {
            self.new.insert(place, Record { used: today, ..record });
        }
        Some(record.digest)
    }

    pub(super) fn put(&mut self, stat: &Stat, digest: [u8; DIGEST], now: SystemTime) {
        let is_old = |seconds: i64, nanos: u64| {
            let nanos = u32::try_from(nanos).unwrap_or(0);
            let since = Duration::new(seconds.unsigned_abs(), nanos);
            let time = if seconds < 0 {
                Some(SystemTime::UNIX_EPOCH)
            } else {
                SystemTime::UNIX_EPOCH.checked_add(since)
            };
            time.is_some_and(|time| now.duration_since(time).is_ok_and(|age| age > MOMENT))
        };
        #[expect(clippy::unnecessary_cast, reason = "their types differ between architectures")]
        let is_settled = is_old(stat.st_ctime as i64, stat.st_ctime_nsec as u64);
        if is_settled && self.new.len() < HASHES_MAX / 2 {
            self.new.insert(place(stat), Record { key: key(stat), used: day(now), digest });
        }
    }

    /// Writes what is new to the file.
    ///
    /// # Errors
    /// It cannot be written: the next build will read more.
    pub fn save(&mut self) -> io::Result<()> {
        let Some(path) = self.path.clone() else { return Ok(()) };
        if self.new.is_empty() {
            return Ok(());
        }
        let mut lock_path = path.clone().into_os_string();
        lock_path.push(".lock");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(lock_path)?;
        flock(&lock, FlockOperation::LockExclusive)?;
        let saved = read(&path);
        let merged = bounded(merge(&saved, &self.new));
        write(&path, &merged)?;
        self.saved = merged;
        self.new.clear();
        Ok(())
    }
}

fn day(now: SystemTime) -> u32 {
    let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u32::try_from(since.as_secs() / 86400).unwrap_or(u32::MAX)
}

#[expect(clippy::unnecessary_cast, reason = "their types differ between architectures")]
fn place(stat: &Stat) -> (u64, u64) {
    (stat.st_dev as u64, stat.st_ino as u64)
}

/// All that must be the same, as it is written.
#[expect(clippy::unnecessary_cast, reason = "their types differ between architectures")]
fn key(stat: &Stat) -> [u8; RECORD - DIGEST - 4] {
    let mut out = [0; RECORD - DIGEST - 4];
    let (device, inode) = place(stat);
    out[..8].copy_from_slice(&device.to_be_bytes());
    out[8..16].copy_from_slice(&inode.to_be_bytes());
    out[16..24].copy_from_slice(&stat.st_size.to_be_bytes());
    out[24..32].copy_from_slice(&(stat.st_mtime as i64).to_be_bytes());
    out[32..40].copy_from_slice(&(stat.st_ctime as i64).to_be_bytes());
    let nanos = |nanos: u64| u32::try_from(nanos).unwrap_or(u32::MAX).to_be_bytes();
    out[40..44].copy_from_slice(&nanos(stat.st_mtime_nsec as u64));
    out[44..48].copy_from_slice(&nanos(stat.st_ctime_nsec as u64));
    out
}

impl Record {
    fn read(bytes: &[u8]) -> Option<Self> {
        let (key, rest) = bytes.split_first_chunk()?;
        let (used, rest) = rest.split_first_chunk()?;
        let (digest, _) = rest.split_first_chunk()?;
        Some(Self { key: *key, used: u32::from_be_bytes(*used), digest: *digest })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.key);
        out.extend_from_slice(&self.used.to_be_bytes());
        out.extend_from_slice(&self.digest);
    }

    /// Device and inode, in the order of their bytes.
    fn place(&self) -> &[u8] {
        &self.key[..16]
    }
}

fn find(records: &[u8], (device, inode): (u64, u64)) -> Option<Record> {
    let mut wanted = [0; 16];
    wanted[..8].copy_from_slice(&device.to_be_bytes());
    wanted[8..].copy_from_slice(&inode.to_be_bytes());
    let (mut low, mut high) = (0, records.len() / RECORD);
    while low < high {
        let middle = low.midpoint(high);
        let record = &records[middle * RECORD..(middle + 1) * RECORD];
        match record[..16].cmp(&wanted) {
            std::cmp::Ordering::Equal => return Record::read(record),
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Greater => high = middle,
        }
    }
    None
}

fn merge(saved: &[u8], new: &BTreeMap<(u64, u64), Record>) -> Vec<u8> {
    let mut out = Vec::with_capacity(saved.len() + new.len() * RECORD);
    let mut new = new.values().peekable();
    for bytes in saved.chunks_exact(RECORD) {
        while let Some(record) = new.next_if(|record| record.place() < &bytes[..16]) {
            record.write(&mut out);
        }
        match new.next_if(|record| record.place() == &bytes[..16]) {
            Some(record) => record.write(&mut out),
            None => out.extend_from_slice(bytes),
        }
    }
    for record in new {
        record.write(&mut out);
    }
    out
}

/// Without those used longest ago, when there are too many.
fn bounded(records: Vec<u8>) -> Vec<u8> {
    let count = records.len() / RECORD;
    if count <= HASHES_MAX {
        return records;
    }
    let used = |bytes: &[u8]| Record::read(bytes).map_or(0, |record| record.used);
    let mut days: Vec<u32> = records.chunks_exact(RECORD).map(used).collect();
    days.sort_unstable();
    // Some more go, so that this is not done each time.
    let too_old = days[(count - HASHES_MAX / 2).min(count - 1)];
    let mut out = Vec::with_capacity(HASHES_MAX / 2 * RECORD);
    for bytes in records.chunks_exact(RECORD) {
        if used(bytes) >= too_old && out.len() < HASHES_MAX * RECORD {
            out.extend_from_slice(bytes);
        }
    }
    out
}

/// Records of a file that is whole.
fn read(path: &Path) -> Vec<u8> {
    let Ok(mut bytes) = fs::read(path) else { return Vec::new() };
    let Some(end) = bytes.len().checked_sub(DIGEST) else { return Vec::new() };
    let is_whole = bytes.starts_with(MAGIC)
        && end >= MAGIC.len()
        && (end - MAGIC.len()).is_multiple_of(RECORD)
        && Digest::of(&bytes[..end]).to_bytes() == bytes[end..];
    if !is_whole {
        return Vec::new();
    }
    bytes.truncate(end);
    bytes.drain(..MAGIC.len());
    bytes
}

fn write(path: &Path, records: &[u8]) -> io::Result<()> {
    let mut hasher = coracle_image::digest::Hasher::new();
    hasher.update(MAGIC);
    hasher.update(records);
    let mut new = path.to_owned().into_os_string();
    new.push(".new");
    let mut file = File::create(&new)?;
    file.write_all(MAGIC)?;
    file.write_all(records)?;
    file.write_all(&hasher.finish().to_bytes())?;
    fs::rename(&new, path)
}
