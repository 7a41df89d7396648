//! Sessions of the Engine API: what is made in one goes with it.
//!
//! # How it works
//!
//! A session is a folder `api-sessions/ID` of the data root, with what is to be known at its end. Its reaper holds the
//! lock in it; one whose lock nobody holds has lost its reaper, and is ended by whoever finds it. Records say of
//! containers, networks and volumes which session made them (`owner`): that is all that ties them to it.
//!
//! A session that is kept loses its folder alone: what it made is then like anything else.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::file_lock::{self, FileLock, LockError};

/// The name of a session's socket in its folder.
pub const SOCKET: &str = "docker.sock";
const FOLDER: &str = "api-sessions";
/// Sessions that are being made.
const NEW_PREFIX: char = '.';
/// How long a reaper waits for another one of the same session.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is to be known at the end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// The folder of its socket, which goes with it.
    pub socket_folder: PathBuf,
    /// Images that were fetched or made for it go too, if nobody else uses them.
    pub images: bool,
    /// What was made stays.
    pub keep: bool,
}

/// A session whose lock is held here.
#[derive(Debug)]
pub struct ApiSession {
    pub id: String,
    pub ending: Ending,
    folder: PathBuf,
    _lock: FileLock,
}

fn place(data: &Path, id: &str) -> PathBuf {
    data.join(FOLDER).join(id)
}

fn open_lock(folder: &Path) -> io::Result<OwnedFd> {
    Ok(file_lock::open(&folder.join("lock"), true)?)
}

impl ApiSession {
    /// Begins one.
    ///
    /// # Errors
    /// When its folder cannot be made.
    pub fn begin(data: &Path, id: &str, ending: Ending) -> io::Result<Self> {
        let private = |path: &Path| DirBuilder::new().recursive(true).mode(0o700).create(path);
        let new = data.join(FOLDER).join(format!("{NEW_PREFIX}{id}"));
        private(&new)?;
        fs::write(new.join("ending.json"), serde_json::to_vec(&ending)?)?;
        let lock =
            file_lock::take(open_lock(&new)?, PATIENCE).map_err(|error| error.into_io(PATIENCE))?;
        let folder = place(data, id);
        // Whoever sees it under its name finds it locked.
        fs::rename(&new, &folder)?;
        Ok(Self { id: id.to_owned(), ending, folder, _lock: lock })
    }

    /// Takes over one whose reaper is gone, or will be soon; `None` when somebody has ended it.
    ///
    /// # Errors
    /// When it cannot be read, or its reaper lives on.
    pub fn take_over(data: &Path, id: &str) -> io::Result<Option<Self>> {
        let folder = place(data, id);
        let file = match file_lock::open(&folder.join("lock"), false) {
            Err(rustix::io::Errno::NOENT) => return Ok(None),
            file => file?,
        };
        let lock = file_lock::take(file, PATIENCE).map_err(|error| error.into_io(PATIENCE))?;
        match fs::read(folder.join("ending.json")) {
            Ok(text) => {
                let ending = serde_json::from_slice(&text)?;
                Ok(Some(Self { id: id.to_owned(), ending, folder, _lock: lock }))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The images that were fetched or made for it, as they were noted.
    #[must_use]
    pub fn images(&self) -> Vec<String> {
        let text = fs::read_to_string(self.folder.join("images")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// There is nothing left of it.
    ///
    /// # Errors
    /// When its folder cannot be removed.
    pub fn end(self) -> io::Result<()> {
        if self.ending.socket_folder.is_dir() {
            fs::remove_dir_all(&self.ending.socket_folder)?;
        }
        fs::remove_dir_all(&self.folder)?;
        // The last one takes the folder of all with it.
        self.folder.parent().map_or(Ok(()), |all| fs::remove_dir(all).or(Ok(())))
    }
}

/// Notes that an image was fetched or made for a session.
///
/// # Errors
/// When the session is over.
pub fn note_image(data: &Path, id: &str, image: &str) -> io::Result<()> {
    let path = place(data, id).join("images");
    let mut file = File::options().create(true).append(true).open(path)?;
    file.write_all(format!("{image}\n").as_bytes())
}

/// The socket of a session, if that is there.
#[must_use]
pub fn socket(data: &Path, id: &str) -> Option<PathBuf> {
    let text = fs::read(place(data, id).join("ending.json")).ok()?;
    let ending: Ending = serde_json::from_slice(&text).ok()?;
    Some(ending.socket_folder.join(SOCKET))
}

/// Whether the session is there.
#[must_use]
pub fn is_there(data: &Path, id: &str) -> bool {
    place(data, id).is_dir()
}

/// The sessions that have lost their reaper. Nothing is opened where there never was a session.
#[must_use]
pub fn orphans(data: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(data.join(FOLDER)) else { return Vec::new() };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let is_orphan = |id: &String| {
        let Ok(file) = file_lock::open(&place(data, id).join("lock"), false) else { return false };
        match file_lock::take(file, Duration::ZERO) {
            Ok(_) => true,
            Err(LockError::Held(_) | LockError::Io(_)) => false,
        }
    };
    names.filter(|name| !name.starts_with(NEW_PREFIX)).filter(is_orphan).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_without_its_reaper_is_taken_over_once() {
        let data = tempfile::tempdir().unwrap();
        let data = data.path();
        assert!(orphans(data).is_empty());
        let ending = Ending { images: true, ..Ending::default() };
        let session = ApiSession::begin(data, "ab", ending.clone()).unwrap();
        assert!(is_there(data, "ab") && orphans(data).is_empty());
        note_image(data, "ab", "sha256:1").unwrap();
        drop(session);
        assert_eq!(orphans(data), ["ab"]);
        let session = ApiSession::take_over(data, "ab").unwrap().unwrap();
        assert_eq!((session.images(), &session.ending), (vec!["sha256:1".to_owned()], &ending));
        session.end().unwrap();
        assert!(ApiSession::take_over(data, "ab").unwrap().is_none());
        assert!(note_image(data, "ab", "x").is_err());
        assert!(!data.join(FOLDER).exists());
    }
}
