//! The door of a helper: a socket in a folder of its own, and the lock of those who start one.
//!
//! Under the lock whoever needs the helper connects; where nobody listens they listen themselves, hand the listening
//! socket to a new helper ([`crate::detached`]), and connect: the connection waits until the helper is ready.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use coracle_sys::file_lock::{self, FileLock, LockError};
use rustix::fs::{Mode, OFlags};
use serde::{Deserialize, Serialize};

const LOCK: &str = "lock";

/// Where a helper is to be found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Door {
    pub folder: PathBuf,
    /// The name of the socket in it.
    pub socket: String,
}

impl Door {
    /// Takes the lock: of who starts a helper, and of a helper that is about to end.
    ///
    /// # Errors
    /// When somebody holds it for so long, or as `open(2)`.
    pub fn lock(&self, patience: Duration) -> io::Result<FileLock> {
        self.try_lock(patience).map_err(|error| error.into_io(patience))
    }

    pub(crate) fn try_lock(&self, patience: Duration) -> Result<FileLock, LockError> {
        let file = file_lock::open(&self.folder.join(LOCK), true);
        file_lock::take(file.map_err(|errno| LockError::Io(errno.into()))?, patience)
    }

    /// Connects; `None` when nobody listens.
    ///
    /// # Errors
    /// As `connect(2)`.
    pub fn connect(&self) -> io::Result<Option<UnixStream>> {
        let Ok((path, _fd)) = self.address() else { return Ok(None) };
        match UnixStream::connect(path) {
            Ok(stream) => Ok(Some(stream)),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Listens in the place of a helper that is about to be started. The caller has the lock, and has found nobody.
    ///
    /// # Errors
    /// As `bind(2)`.
    pub fn listen(&self) -> io::Result<UnixListener> {
        let (path, _fd) = self.address()?;
        // Left by a helper that was killed.
        match std::fs::remove_file(self.socket()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(path)?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    }

    /// The file of the socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.folder.join(&self.socket)
    }

    /// The socket's address through a descriptor of its folder: a path may be too long for one.
    fn address(&self) -> io::Result<(PathBuf, OwnedFd)> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = rustix::fs::open(&self.folder, flags, Mode::empty())?;
        let path = Path::new("/proc/self/fd").join(fd.as_raw_fd().to_string()).join(&self.socket);
        Ok((path, fd))
    }
}
