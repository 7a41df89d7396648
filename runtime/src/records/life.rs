//! Where the life of a container stands: `state.json`, and whether what it says is still so.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use coracle_sys::process::ProcessId;
use serde::{Deserialize, Serialize};

use super::error::as_damage;
use super::files::{Sync, overwrite_json, read_json, replace_json};
use super::{RecordError, Records};
use crate::boot;
use crate::model::{NetworkState, RECORD_VERSION, State, Status, Timestamp};
use crate::watcher::Watcher;

/// The exit code of a container that nobody saw end.
const LOST_CODE: i32 = 255;

/// How long the processes of a lost container are waited for.
const ENDING: Duration = Duration::from_secs(2);

/// A process by pid and start time, as JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessRecord {
    pub pid: i32,
    pub start_ticks: u64,
}

impl From<ProcessId> for ProcessRecord {
    fn from(id: ProcessId) -> Self {
        Self { pid: id.pid, start_ticks: id.start_ticks }
    }
}

impl From<ProcessRecord> for ProcessId {
    fn from(record: ProcessRecord) -> Self {
        Self { pid: record.pid, start_ticks: record.start_ticks }
    }
}

/// The content of `state.json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Life {
    pub version: u32,
    pub state: State,
    /// Who watches the container; set while it is meant to run.
    pub monitor: Option<ProcessRecord>,
    /// The container's first process, with its pid outside.
    pub init: Option<ProcessRecord>,
    /// Which boot and pid namespace the processes belong to ([`crate::boot`]).
    pub boot_id: String,
    /// The user stopped it, so `unless-stopped` no longer applies.
    pub stopped_by_user: bool,
    pub restart_count: u32,
    /// A command is to start it again, not before then: its policy applies, and no monitor is
    /// there to do it.
    #[serde(default)]
    pub due: Option<Timestamp>,
    /// The command that stopped it is about to start it again.
    #[serde(default)]
    pub again: bool,
    /// The cgroup of the container below the cgroup mount, when it has one of its own.
    #[serde(default)]
    pub cgroup: Option<PathBuf>,
    /// What it has of its networks.
    #[serde(default)]
    pub network: NetworkState,
}

impl Life {
    /// Whether the processes it names are of this boot and this pid namespace.
    #[must_use]
    pub fn is_of_here(&self) -> bool {
        self.boot_id == boot::this()
    }
}

impl Records {
    pub(super) fn life_file(&self, id: &str) -> PathBuf {
        self.paths.container(id).join("state.json")
    }

    /// Writes a changed state.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save_life(&self, id: &str, life: &Life) -> Result<(), RecordError> {
        let path = self.life_file(id);
        match replace_json(&path, life, Sync::No) {
            Err(RecordError::Write { source, .. })
                if source.kind() == io::ErrorKind::StorageFull =>
            {
                overwrite_json(&path, life)
            }
            result => result,
        }
    }

    fn read_life(&self, id: &str) -> Result<Life, RecordError> {
        match read_json(&self.life_file(id), id) {
            // The record is removed before the state, and made after it.
            Err(RecordError::NotFound { .. }) if self.record_file(id).exists() => {
                let path = self.life_file(id);
                let source = io::Error::from(io::ErrorKind::NotFound);
                Err(as_damage(id, RecordError::Read { path, source }))
            }
            read => read.map_err(|error| as_damage(id, error)),
        }
    }

    /// Who watches a container; `None` when nobody does, in whatever pid namespace.
    pub(crate) fn watcher(&self, life: &Life) -> Option<Watcher> {
        Watcher::of(&self.paths, life)
    }

    /// Whether a container has a monitor, here or in another pid namespace.
    #[must_use]
    pub fn lives(&self, life: &Life) -> bool {
        self.watcher(life).is_some()
    }

    /// Whether the container is recorded as running while nobody watches it.
    fn is_orphaned(&self, life: &Life) -> bool {
        life.state.status.is_running() && !self.lives(life)
    }

    /// The state as it is: a container whose monitor died is not called running.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn life(&self, id: &str) -> Result<Life, RecordError> {
        let (mut life, orphaned) = look(|| self.read_life(id), |life| self.is_orphaned(life))?;
        if orphaned {
            // The kernel is ending its processes; they are not called gone before they are.
            if let Some(init) = life.init.filter(|_| life.is_of_here()) {
                let _gone: bool = ProcessId::from(init).wait_end(ENDING);
            }
            mark_lost(&mut life);
        }
        Ok(life)
    }

    /// The state as it was last written.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn life_as_written(&self, id: &str) -> Result<Life, RecordError> {
        self.read_life(id)
    }

    /// Gives a container another state, when its own cannot be read and is not newer: ended,
    /// nobody knows how. True: it was needed.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn renew_life(&self, id: &str) -> Result<bool, RecordError> {
        match self.life(id) {
            Err(RecordError::Damaged { source, .. })
                if !matches!(*source, RecordError::Newer { .. }) => {}
            _ => return Ok(false),
        }
        let mut life = Life { version: RECORD_VERSION, ..Life::default() };
        life.state.status = Status::Exited;
        life.state.exit_code = LOST_CODE;
        "its state was lost".clone_into(&mut life.state.error);
        replace_json(&self.life_file(id), &life, Sync::Yes).map(|()| true)
    }
}

/// Reads a state, and whether it is orphaned.
///
/// A monitor writes the end, and goes: only what is read after it was found dead is its last word.
/// So each answer is of the reading it was asked about, and no reading is asked about twice.
fn look<E>(
    mut read: impl FnMut() -> Result<Life, E>,
    mut is_orphaned: impl FnMut(&Life) -> bool,
) -> Result<(Life, bool), E> {
    let life = read()?;
    if !is_orphaned(&life) {
        return Ok((life, false));
    }
    let life = read()?;
    let orphaned = is_orphaned(&life);
    Ok((life, orphaned))
}

/// What a container is whose monitor was killed, or ended with the machine: it went with it.
pub fn mark_lost(life: &mut Life) {
    /// The code of a process ended by SIGKILL.
    const KILLED: i32 = 137;
    /// Docker's, for an end that nobody saw.
    const UNSEEN: i32 = 255;
    let (code, why) = match boot::is_over(&life.boot_id) {
        true => (UNSEEN, "the machine was restarted"),
        false => (KILLED, "the container's monitor was killed"),
    };
    if life.state.status != Status::Restarting {
        life.state.exit_code = code;
        life.state.finished_at = crate::clock::now();
    }
    life.state.status = Status::Exited;
    life.state.pid = 0;
    why.clone_into(&mut life.state.error);
    life.monitor = None;
    life.init = None;
    life.network.clear();
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::convert::Infallible;

    use super::*;

    /// A monitor that does one step of its last three each time it is looked at: it watches,
    /// writes the end, and is gone. Gives what is said of the container when the first look
    /// finds it at `step`.
    fn seen_at(step: u32) -> (i32, bool) {
        let step = Cell::new(step);
        let next = || step.replace(step.get() + 1);
        let read = || {
            let status = if next() >= 1 { Status::Exited } else { Status::Running };
            let exit_code = if status == Status::Exited { 3 } else { 0 };
            Ok::<_, Infallible>(Life {
                state: State { status, exit_code, ..State::default() },
                ..Life::default()
            })
        };
        let (life, orphaned) =
            look(read, |life| life.state.status.is_running() && next() >= 2).unwrap();
        (life.state.exit_code, orphaned)
    }

    #[test]
    fn a_monitor_that_ends_while_it_is_looked_at_is_not_called_killed() {
        assert_eq!([0, 1, 2].map(seen_at), [(0, false), (3, false), (3, false)]);
    }

    #[test]
    fn a_monitor_that_is_gone_without_a_word_was_killed() {
        let running = || {
            let state = State { status: Status::Running, ..State::default() };
            Ok::<_, Infallible>(Life { state, ..Life::default() })
        };
        assert!(look(running, |life| life.state.status.is_running()).unwrap().1);
        // As it was: judged alive, it is not judged again by what was read before.
        let mut looks = 0;
        let (_, orphaned) = look(running, |_| {
            looks += 1;
            looks > 1
        })
        .unwrap();
        assert!(!orphaned);
    }
}
