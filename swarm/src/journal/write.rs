//! Writes the state: the agent's side.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use coracle_sys::file_lock::{self, FileLock};
use coracle_words::Timestamp;

use super::{Entry, FILE, Header, JournalError, LOCK, NEW, Reader, VERSION};
use crate::model::Node;
use crate::state::{Change, Object, State};

/// How long another agent that ends is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// A file that is smaller is not worth writing anew.
const GROWN_BYTES_MIN: u64 = 256 * 1024;
/// How many times what it holds a file may be.
const GROWN_TIMES: u64 = 4;

/// Whether a transaction must survive a crash of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sync {
    Yes,
    No,
}

/// The state and the file it is kept in.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    file: Option<File>,
    /// Bytes of whole lines.
    length: u64,
    /// Bytes of the state when it was written whole.
    base: u64,
    written_at: Timestamp,
    pub state: State,
    _lock: FileLock,
}

impl Journal {
    /// Takes the lock and reads what there is.
    ///
    /// # Errors
    /// When another agent has it, or the file cannot be used.
    pub fn open(folder: &Path) -> Result<Self, JournalError> {
        let failed = |source| JournalError::Write { path: folder.to_owned(), source };
        fs::DirBuilder::new().recursive(true).create(folder).map_err(failed)?;
        rustix::fs::chmod(folder, 0o700.into()).map_err(|error| failed(error.into()))?;
        let path = folder.join(LOCK);
        let file = file_lock::open(&path, true).map_err(|error| failed(error.into()))?;
        let lock = file_lock::take(file, PATIENCE).map_err(|_| JournalError::Busy { path })?;
        let reader = Reader::open(folder)?;
        let length = reader.position();
        let written_at = reader.written_at();
        let mut journal = Self {
            folder: folder.to_owned(),
            file: None,
            length,
            base: length,
            written_at,
            state: reader.state,
            _lock: lock,
        };
        if length > 0 {
            let path = journal.path();
            let file = OpenOptions::new().append(true).open(&path).map_err(failed)?;
            // What a crash cut off.
            file.set_len(length).map_err(failed)?;
            journal.file = Some(file);
        }
        Ok(journal)
    }

    /// When the last transaction was written, which may be long ago.
    #[must_use]
    pub fn written_at(&self) -> Timestamp {
        self.written_at
    }

    fn path(&self) -> PathBuf {
        self.folder.join(FILE)
    }

    /// Carries a transaction out, in the file and then in the state. When it cannot be written, nothing has changed.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn commit(
        &mut self,
        changes: Vec<Change>,
        now: Timestamp,
        sync: Sync,
    ) -> Result<(), JournalError> {
        let changes = self.state.stamped(changes, now);
        let entry = Entry { index: self.state.index + 1, at: now, changes };
        match self.append(&entry, sync) {
            Ok(()) => {}
            Err(source) => {
                if let Some(file) = &self.file {
                    // What was written in part is no line; the next one must not begin in the middle of it.
                    drop(file.set_len(self.length));
                }
                return Err(JournalError::Write { path: self.path(), source });
            }
        }
        self.state.index = entry.index;
        self.written_at = now;
        entry.changes.into_iter().for_each(|change| self.state.replay(change));
        if self.length > GROWN_BYTES_MIN && self.length > self.base.saturating_mul(GROWN_TIMES) {
            // It can be written anew later as well.
            drop(self.rewrite(now));
        }
        Ok(())
    }

    fn append(&mut self, entry: &Entry, sync: Sync) -> io::Result<()> {
        if self.file.is_none() {
            self.begin(entry)?;
            return Ok(());
        }
        let Some(file) = &mut self.file else { return Ok(()) };
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        file.write_all(&line)?;
        if sync == Sync::Yes {
            file.sync_data()?;
        }
        self.length += line.len() as u64;
        Ok(())
    }

    /// Writes a whole file beside and gives it its name.
    fn begin(&mut self, entry: &Entry) -> io::Result<()> {
        let new = self.folder.join(NEW);
        let mut bytes = serde_json::to_vec(&Header { version: VERSION })?;
        bytes.push(b'\n');
        serde_json::to_writer(&mut bytes, entry)?;
        bytes.push(b'\n');
        drop(fs::remove_file(&new));
        let mut file = OpenOptions::new().append(true).create_new(true).mode(0o600).open(&new)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        fs::rename(&new, self.folder.join(FILE))?;
        File::open(&self.folder)?.sync_all()?;
        self.file = Some(file);
        self.length = bytes.len() as u64;
        self.base = self.length;
        Ok(())
    }

    fn rewrite(&mut self, now: Timestamp) -> io::Result<()> {
        let entry = Entry { index: self.state.index, at: now, changes: whole(&self.state) };
        self.begin(&entry)
    }

    /// The swarm is over: its state goes, but for these machines.
    ///
    /// # Errors
    /// When the file cannot be removed or written.
    pub fn erase(&mut self, machines: Vec<Node>, now: Timestamp) -> Result<(), JournalError> {
        let path = self.path();
        if !machines.is_empty() {
            let machines = machines.into_iter().map(|machine| (machine.id.clone(), machine));
            let state = State { index: 1, machines: machines.collect(), ..State::default() };
            let entry = Entry { index: state.index, at: now, changes: whole(&state) };
            self.begin(&entry).map_err(|source| JournalError::Write { path, source })?;
            self.state = state;
            return Ok(());
        }
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(JournalError::Write { path, source });
            }
            _ => {}
        }
        self.file = None;
        self.length = 0;
        self.state = State::default();
        Ok(())
    }
}

/// A state as the changes that make it.
fn whole(state: &State) -> Vec<Change> {
    let State { index: _, cluster, nodes, machines, services, tasks, secrets, configs } = state;
    let mut changes = Vec::new();
    if !cluster.id.is_empty() {
        changes.push(Change::from(cluster.clone()));
    }
    changes.extend(machines.values().map(|it| Change::PutMachine(Box::new(it.clone()))));
    changes.extend(nodes.values().cloned().map(Change::from));
    changes.extend(services.values().cloned().map(Change::from));
    changes.extend(tasks.values().cloned().map(Change::from));
    let boxed = |secret: &crate::model::Secret| Box::new(secret.clone());
    changes.extend(secrets.values().map(|it| Change::Put(Object::Secret(boxed(it)))));
    changes.extend(configs.values().map(|it| Change::Put(Object::Config(boxed(it)))));
    changes
}
