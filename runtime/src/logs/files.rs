//! The files of one log: the current one, and rotated ones numbered from the newest.
//!
//! `LOG` is written to; `LOG.1`, `LOG.2`, … are older and never change; with compression
//! they are `LOG.1.gz` and so on.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use rustix::fs::{MemfdFlags, Mode, OFlags};

use crate::identity::{identity, identity_at, open_for_read, present};

/// The log may be read by the group, as Docker's.
const LOG_MODE: u32 = 0o640;
/// Attempts to see a set of files that no rotation changes meanwhile.
const OPEN_TRIES_MAX: u32 = 5;

/// The `number`th rotated file.
pub(super) fn rotated(path: &Path, number: u32) -> PathBuf {
    with_suffix(path, &format!(".{number}"))
}

fn compressed(path: &Path) -> PathBuf {
    with_suffix(path, ".gz")
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Opens the current file for appending.
pub(super) fn open_for_append(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(LOG_MODE)
        .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
        .open(path)
}

/// Bytes of all files of a log. What is being rotated or removed meanwhile may be missed.
#[must_use]
pub fn size(path: &Path) -> u64 {
    let of = |path: &Path| fs::symlink_metadata(path).ok().map(|meta| meta.len());
    let rotated = (1..).map(|number| {
        let plain = rotated(path, number);
        of(&plain).or_else(|| of(&compressed(&plain)))
    });
    of(path).unwrap_or(0) + rotated.map_while(|bytes| bytes).sum::<u64>()
}

/// The files of a log as they were at one moment.
#[derive(Debug)]
pub(super) struct Snapshot {
    /// The oldest first; the last is the current one. Empty without a log.
    pub(super) files: Vec<File>,
    /// It is rotated so fast that a file may be there twice.
    pub(super) uncertain: bool,
}

/// Opens all files.
pub(super) fn open_all(path: &Path) -> io::Result<Snapshot> {
    for tries_left in (0..OPEN_TRIES_MAX).rev() {
        let Some(current) = open_for_read(path)? else { break };
        let before = identity(&current)?;
        let rotated = open_rotated(path)?;
        // A rotation meanwhile moved files to numbers that we looked at later.
        let uncertain = identity_at(path)? != Some(before);
        if uncertain && tries_left > 0 {
            continue;
        }
        let plain = rotated.into_iter().rev().map(|file| match file {
            Rotated::Plain(file) => Ok(file),
            Rotated::Compressed(file) => inflate(path, file),
        });
        let mut files = plain.collect::<io::Result<Vec<_>>>()?;
        files.push(current);
        return Ok(Snapshot { files, uncertain });
    }
    Ok(Snapshot { files: Vec::new(), uncertain: false })
}

enum Rotated {
    Plain(File),
    Compressed(File),
}

/// The rotated files, the newest first.
fn open_rotated(path: &Path) -> io::Result<Vec<Rotated>> {
    let mut files = Vec::new();
    let mut missing = 0;
    for number in 1.. {
        let name = rotated(path, number);
        if let Some(file) = open_for_read(&name)? {
            files.push(Rotated::Plain(file));
        } else if let Some(file) = open_for_read(&compressed(&name))? {
            files.push(Rotated::Compressed(file));
        } else {
            // One number is free for an instant of every rotation.
            missing += 1;
            if missing == 2 {
                break;
            }
        }
    }
    Ok(files)
}

/// The content of a compressed file, in a file without a name.
fn inflate(log: &Path, compressed: File) -> io::Result<File> {
    let dir = log.parent().unwrap_or(Path::new("."));
    let mode = Mode::RUSR | Mode::WUSR;
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    // Some file systems have no nameless files, and the log's may be full.
    let fd = rustix::fs::open(dir, flags, mode)
        .or_else(|_| rustix::fs::memfd_create("coracle-log", MemfdFlags::CLOEXEC))?;
    let mut plain = File::from(fd);
    io::copy(&mut GzDecoder::new(compressed), &mut plain)?;
    plain.rewind()?;
    Ok(plain)
}

/// Gives every file the next number and drops what is beyond `files_max`; afterwards there
/// is no current file.
pub(super) fn shift(path: &Path, files_max: u32) -> io::Result<()> {
    let Some(oldest) = files_max.checked_sub(1).filter(|oldest| *oldest > 0) else {
        return present(fs::remove_file(path)).map(drop);
    };
    let last = rotated(path, oldest);
    present(fs::remove_file(&last))?;
    present(fs::remove_file(compressed(&last)))?;
    for number in (1..oldest).rev() {
        let (from, to) = (rotated(path, number), rotated(path, number + 1));
        present(fs::rename(&from, &to))?;
        present(fs::rename(compressed(&from), compressed(&to)))?;
    }
    present(fs::rename(path, rotated(path, 1))).map(drop)
}

/// Compresses the newest rotated file.
pub(super) fn compress_newest(path: &Path) -> io::Result<()> {
    let from = rotated(path, 1);
    let to = compressed(&from);
    let partial = with_suffix(&to, ".part");
    let write = || -> io::Result<()> {
        let Some(mut plain) = open_for_read(&from)? else { return Ok(()) };
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(LOG_MODE)
            .open(&partial)?;
        let mut encoder = GzEncoder::new(file, Compression::fast());
        io::copy(&mut plain, &mut encoder)?;
        encoder.finish()?;
        fs::rename(&partial, &to)?;
        // Readers prefer the plain file, so having both for a moment does no harm.
        fs::remove_file(&from)
    };
    write().inspect_err(|_| {
        fs::remove_file(&partial).ok();
    })
}
