//! Who is called when a container ends: a helper that looks after containers, and may have been killed.
//!
//! # How it works
//!
//! A helper leaves word in the folder that is in memory: what it was started with, and its door. A monitor whose
//! container has ended or become unhealthy looks whether it is there; where nobody is, it starts the helper again, as any
//! command would, but inside the namespaces: there is no way out of them. A helper that ends by itself takes its word
//! back. What is in memory goes with the last container, and then there is nobody to call either.
//!
//! # Limits
//!
//! One helper. What goes wrong is left to the next command.

use std::ffi::CString;
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use coracle_sys::file_lock::LockError;
use coracle_sys::process::ProcessId;
use rustix::fs::{Mode, OFlags};
use serde::{Deserialize, Serialize};

use crate::delivered::{Rights, put};
use crate::detached;
use crate::door::Door;
use crate::paths::Paths;
use crate::records::ProcessRecord;

/// How long a helper that was killed may take to be gone.
const ENDING: Duration = Duration::from_secs(2);

/// How a helper is started.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Caretaker {
    /// The executable: not the view of it that a monitor runs from, which nobody could replace.
    pub exe: PathBuf,
    /// Its name and what follows.
    pub arguments: Vec<String>,
    /// `NAME=VALUE`.
    pub environment: Vec<String>,
    pub door: Door,
    /// The helper itself. One that was just killed still has its door open.
    pub process: ProcessRecord,
}

impl Caretaker {
    /// Has monitors call this helper. The caller is in the namespaces.
    ///
    /// # Errors
    /// When the word cannot be left.
    pub fn leave_word(&self, paths: &Paths) -> io::Result<()> {
        let json = serde_json::to_vec(self)?;
        // The environment of a user is nobody else's business.
        put(&file(paths), &json, Rights { uid: 0, gid: 0, mode: 0o600 })
    }

    /// Has them call nobody.
    pub fn take_word_back(paths: &Paths) {
        // There may be none, and one that stays is of a helper that ends again at once.
        drop(std::fs::remove_file(file(paths)));
    }

    fn start(&self) -> io::Result<()> {
        let _lock = match self.door.try_lock(Duration::ZERO) {
            Ok(lock) => lock,
            // Somebody is starting it.
            Err(LockError::Held(_)) => return Ok(()),
            Err(LockError::Io(error)) => return Err(error),
        };
        let known = ProcessId::from(self.process);
        if !known.is_ending() {
            return Ok(());
        }
        // Until it is gone its door is open.
        let _gone: bool = known.wait_end(ENDING);
        if self.door.connect()?.is_some() {
            // Another has come already.
            return Ok(());
        }
        let exe = rustix::fs::open(&self.exe, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
        let words = |list: &[String]| -> io::Result<Vec<CString>> {
            list.iter().map(|word| CString::new(word.as_str()).map_err(Into::into)).collect()
        };
        let (argv, environment) = (words(&self.arguments)?, words(&self.environment)?);
        let listener = self.door.listen()?;
        detached::spawn("caretaker", &exe, listener.as_fd(), &argv, &environment)
            .map_err(|error| io::Error::other(error.to_string()))
    }
}

/// Sees to it that the helper is there, if one left word.
pub(crate) fn call(paths: &Paths) {
    if let Some(caretaker) = read(&file(paths)) {
        // Nobody is there to be told; the next command starts it, and hears why it cannot.
        drop(caretaker.start());
    }
}

fn read(file: &Path) -> Option<Caretaker> {
    serde_json::from_slice(&std::fs::read(file).ok()?).ok()
}

fn file(paths: &Paths) -> PathBuf {
    paths.inside().join("caretaker.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_started_while_somebody_is_there() {
        let temp = tempfile::tempdir().unwrap();
        let paths = Paths { data: temp.path().to_owned(), run: temp.path().to_owned() };
        crate::paths::make_private(&paths.inside()).unwrap();
        call(&paths);
        let door = Door { folder: temp.path().to_owned(), socket: "s".to_owned() };
        let listener = door.listen().unwrap();
        let caretaker = Caretaker {
            exe: "/nowhere".into(),
            arguments: vec!["name".to_owned()],
            environment: Vec::new(),
            door,
            process: ProcessId::current().into(),
        };
        let json = serde_json::to_vec(&caretaker).unwrap();
        std::fs::write(file(&paths), json).unwrap();
        let mut read = read(&file(&paths)).unwrap();
        // It is there itself.
        read.start().unwrap();
        // It is gone, and another is at its door.
        read.process.start_ticks += 1;
        read.start().unwrap();
        drop(listener);
        assert_eq!(read.start().unwrap_err().kind(), io::ErrorKind::NotFound);
        Caretaker::take_word_back(&paths);
        assert!(!file(&paths).exists());
    }
}
