//! The monitor of a container, as other processes find it.
//!
//! # How it works
//!
//! In our own pid namespace it is a process, by pid and start time. In another one of this
//! boot (another container with the same home, `unshare --pid`) its pid says nothing to us:
//! there it lives as long as it locks its mark, and its socket leads to it, because that is a
//! file, which both see.
//!
//! # Limits
//!
//! One of another pid namespace cannot be sent signals, and its container's namespaces cannot
//! be joined: whatever needs that has to be done there.

use std::time::{Duration, Instant};

use coracle_sys::process::ProcessId;

use crate::error::EngineError;
use crate::paths::Paths;
use crate::records::Life;
use crate::{boot, session};

/// How often the mark of a monitor is looked at whose end is waited for.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// A monitor that was alive at some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Watcher {
    process: ProcessId,
    /// With the runtime folder that is its own.
    paths: Paths,
}

impl Watcher {
    /// Who watches the container with this state; `None` when nobody does.
    pub(crate) fn of(paths: &Paths, life: &Life) -> Option<Self> {
        let process = ProcessId::from(life.monitor?);
        if boot::is_over(&life.boot_id) {
            return None;
        }
        let found = Self { process, paths: paths.at(&life.boot_id)? };
        (!found.has_ended()).then_some(found)
    }

    /// The process, if its pid means something here.
    pub(crate) fn here(&self) -> Option<ProcessId> {
        self.paths.run.ends_with(boot::this()).then_some(self.process)
    }

    /// Where its socket is.
    pub(crate) fn paths(&self) -> &Paths {
        &self.paths
    }

    /// Waits until it has ended, at most for `patience`; true when it has.
    pub(crate) fn wait_end(&self, patience: Duration) -> bool {
        if let Some(process) = self.here() {
            return process.wait_end(patience);
        }
        let deadline = Instant::now() + patience;
        while !self.has_ended() {
            if Instant::now() >= deadline {
                return false;
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        true
    }

    fn has_ended(&self) -> bool {
        match self.here() {
            Some(process) => !process.is_alive(),
            None => !session::holds(&self.paths.holders(), self.process),
        }
    }

    /// What is said of one that does not answer.
    pub(crate) fn silent(&self, id: &str) -> EngineError {
        let pid = self.here().map(|process| process.pid);
        EngineError::MonitorSilent { id: id.to_owned(), pid }
    }
}
