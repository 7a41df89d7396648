//! Files of records: read whole, replaced by rename, synced where a user would miss them.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::RecordError;
use crate::damage::{self, Unreadable};
use crate::model::{Container, RECORD_VERSION};

/// The names in a folder.
pub(super) fn entries(dir: &Path) -> Result<Vec<String>, RecordError> {
    let entries =
        fs::read_dir(dir).map_err(|source| RecordError::Read { path: dir.to_owned(), source })?;
    Ok(entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect())
}

pub(super) fn read_json<T: DeserializeOwned>(path: &Path, id: &str) -> Result<T, RecordError> {
    let bytes = fs::read(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => RecordError::NotFound { reference: id.to_owned() },
        _ => RecordError::Read { path: path.to_owned(), source },
    })?;
    damage::parse(&bytes, RECORD_VERSION).map_err(|why| match why {
        Unreadable::Parse(source) => RecordError::Parse { path: path.to_owned(), source },
        Unreadable::Newer { found } => {
            RecordError::Newer { path: path.to_owned(), found, known: RECORD_VERSION }
        }
    })
}

pub(super) fn replace_json(
    path: &Path,
    value: &impl Serialize,
    sync: Sync,
) -> Result<(), RecordError> {
    let bytes = serde_json::to_vec(value)
        .map_err(|source| RecordError::Parse { path: path.to_owned(), source })?;
    replace(path, &bytes, sync)
}

/// Writes over a file that is there, in the room it has already: on a full disk, how a
/// container ended is worth more than that a crash at this moment leaves the old state.
pub(super) fn overwrite_json(path: &Path, value: &impl Serialize) -> Result<(), RecordError> {
    let failed = |source| RecordError::Write { path: path.to_owned(), source };
    let mut bytes = serde_json::to_vec(value)
        .map_err(|source| RecordError::Parse { path: path.to_owned(), source })?;
    let file = OpenOptions::new().write(true).open(path).map_err(failed)?;
    let room = file.metadata().map_err(failed)?.len();
    // Blanks cover the rest of what was there: so there is no moment between two steps.
    bytes.resize(bytes.len().max(usize::try_from(room).unwrap_or(0)), b' ');
    std::os::unix::fs::FileExt::write_all_at(&file, &bytes, 0).map_err(failed)
}

/// How the file names begin of what has no name yet; no container's name does.
pub(super) const UNNAMED: char = '.';

/// Whether a file must be on the disk before the command that writes it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sync {
    Yes,
    No,
}

pub(super) fn sync_of(container: &Container) -> Sync {
    // Nobody misses a step whose build died: the next one removes it.
    match container.host_config.auto_remove || container.is_step {
        true => Sync::No,
        false => Sync::Yes,
    }
}

/// Replaces a file in one step: a reader sees the old content or the new one.
pub(crate) fn replace(path: &Path, bytes: &[u8], sync: Sync) -> Result<(), RecordError> {
    let failed = |source| RecordError::Write { path: path.to_owned(), source };
    let mut name = OsString::from(UNNAMED.to_string());
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}", rustix::process::getpid()));
    let new = path.with_file_name(name);
    let write = || -> io::Result<()> {
        let mut file: File =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        file.write_all(bytes)?;
        if sync == Sync::Yes {
            file.sync_data()?;
        }
        fs::rename(&new, path)
    };
    write().map_err(|source| {
        drop(fs::remove_file(&new));
        failed(source)
    })?;
    match path.parent() {
        Some(folder) if sync == Sync::Yes => sync_folder(folder),
        _ => Ok(()),
    }
}

/// Has the names in a folder written to the disk.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), RecordError> {
    let synced = File::open(folder).and_then(|open| open.sync_all());
    synced.map_err(|source| RecordError::Write { path: folder.to_owned(), source })
}

pub(super) fn remove_file(path: &Path) -> Result<(), RecordError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(RecordError::Remove { path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}
