//! Reads the state, and follows it.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use coracle_words::Timestamp;

use super::{Entry, FILE, Header, JournalError, VERSION};
use crate::state::State;

/// The state as it stands in the file, brought up to date by [`Reader::refresh`].
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    file: Option<File>,
    /// How far it was read: whole lines.
    position: u64,
    lines: usize,
    /// When the last transaction was written.
    written_at: Timestamp,
    pub state: State,
}

impl Reader {
    /// Reads what there is; a swarm that is not there has an empty state.
    ///
    /// # Errors
    /// When the file cannot be read or understood.
    pub fn open(folder: &Path) -> Result<Self, JournalError> {
        let mut reader = Self {
            path: folder.join(FILE),
            file: None,
            position: 0,
            lines: 0,
            written_at: Timestamp::ZERO,
            state: State::default(),
        };
        reader.refresh()?;
        Ok(reader)
    }

    /// Whether there is a swarm.
    #[must_use]
    pub fn is_swarm(&self) -> bool {
        !self.state.cluster.id.is_empty()
    }

    /// Where the state is, for whoever watches its folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// When the last transaction was written.
    pub(super) fn written_at(&self) -> Timestamp {
        self.written_at
    }

    /// How many bytes were understood.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Takes in what was written since; true when there was something.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn refresh(&mut self) -> Result<bool, JournalError> {
        let failed = |source| JournalError::Read { path: self.path.clone(), source };
        let there = match std::fs::metadata(&self.path) {
            Ok(there) => Some(there),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(failed(error)),
        };
        let same = match (&self.file, &there) {
            (Some(file), Some(there)) => {
                let ours = file.metadata().map_err(failed)?;
                (ours.dev(), ours.ino()) == (there.dev(), there.ino())
                    && there.len() >= self.position
            }
            (None, None) => return Ok(false),
            _ => false,
        };
        if !same {
            self.file = match there {
                Some(_) => Some(File::open(&self.path).map_err(failed)?),
                None => None,
            };
            self.position = 0;
            self.lines = 0;
            self.state = State::default();
        }
        Ok(self.take_in()? || !same)
    }

    fn take_in(&mut self) -> Result<bool, JournalError> {
        let path = &self.path;
        let failed = |source| JournalError::Read { path: path.clone(), source };
        let Some(file) = &mut self.file else { return Ok(false) };
        file.seek(SeekFrom::Start(self.position)).map_err(failed)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed)?;
        let mut changed = false;
        let mut rest = bytes.as_slice();
        // What has no end yet is being written, or was cut off.
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (line, after) = (&rest[..end], &rest[end + 1..]);
            let damaged = |line, source| JournalError::Damaged { path: path.clone(), line, source };
            if self.lines == 0 {
                let header: Header =
                    serde_json::from_slice(line).map_err(|error| damaged(1, error))?;
                if header.version > VERSION {
                    return Err(JournalError::Newer { path: path.clone(), found: header.version });
                }
            } else {
                let entry: Entry = match serde_json::from_slice(line) {
                    Ok(entry) => entry,
                    // Torn by a crash of the machine: the blocks of the last line were not all written.
                    Err(_) if after.is_empty() => break,
                    Err(error) => return Err(damaged(self.lines + 1, error)),
                };
                self.state.index = entry.index;
                self.written_at = entry.at;
                entry.changes.into_iter().for_each(|change| self.state.replay(change));
                changed = true;
            }
            self.lines += 1;
            self.position += end as u64 + 1;
            rest = after;
        }
        Ok(changed)
    }
}
