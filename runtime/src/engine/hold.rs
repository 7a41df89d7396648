//! Hold a container still: from the look at it to what is done because of it.
//!
//! # Who may change what
//!
//! While a container's monitor lives, the container is the monitor's: it alone writes the
//! state, takes down what runs, and removes the container after `--rm`. Commands talk to it.
//! It needs no lock, because commands leave alone what has a living monitor.
//!
//! A container without a living monitor is whose lock it is. Starting holds the lock from
//! the look until the new monitor is on record, so of twenty starts at once one starts and
//! the others find its monitor. Removing holds it until the container is gone. Recovering,
//! renaming, updating, connecting and disconnecting hold it likewise.
//!
//! # Order
//!
//! 1. the lock of new namespaces (`session`), taken when a command begins;
//! 2. the lock of a Compose project, while it is looked at and its containers are made, and
//!    while it is taken down;
//! 3. **the lock of one container**, never of two at once;
//! 4. the lock of the networks' records;
//! 5. the lock of the list of containers (`Records::lock`);
//! 6. the lock of the volumes.
//!
//! Nobody waits for a monitor while holding 4 to 6. Whoever holds 3 may wait for a monitor to
//! end: a monitor never takes it. Every wait has a bound, and its error says who is waited for.

use std::time::Duration;

use super::{Connection, Engine};
use crate::error::EngineError;
use crate::file_lock;
use crate::model::Container;
use crate::records::{ContainerLock, Life};
use crate::watcher::Watcher;
use crate::wire::Request;

/// How long a monitor that hung up may take to end.
const ENDING: Duration = Duration::from_secs(60);

/// A container that stays as it is seen, but for its own end.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) lock: ContainerLock,
    pub(super) container: Container,
    /// The state as it was last written.
    pub(super) life: Life,
    /// The way to the monitor of a container that runs.
    pub(super) monitor: Option<Connection>,
}

impl Engine {
    /// Takes the lock of a container that is neither being started nor about to end: such a
    /// one is waited for, without the lock.
    ///
    /// # Errors
    /// When there is no such container, or it is held or takes too long.
    pub(super) fn hold(&self, id: &str) -> Result<Held, EngineError> {
        let mut greeted: Option<(Watcher, Connection)> = None;
        loop {
            let lock = self.records.lock_container(id, file_lock::PATIENCE)?;
            let container = self.records.load(id)?;
            let mut life = self.records.life_as_written(id)?;
            let watcher = self.records.watcher(&life);
            if watcher.is_none() {
                // It may have written the end, and gone, since we read.
                life = self.records.life_as_written(id)?;
            }
            let monitor = match (watcher, greeted.take()) {
                (None, _) => None,
                (Some(monitor), Some((known, connection))) if known == monitor => Some(connection),
                (Some(monitor), _) => {
                    drop(lock);
                    greeted =
                        self.greet(id, &life, &monitor)?.map(|connection| (monitor, connection));
                    continue;
                }
            };
            return Ok(Held { lock, container, life, monitor });
        }
    }

    /// Waits until a monitor has started its container and answers; `None` when it ended
    /// instead.
    fn greet(
        &self,
        id: &str,
        life: &Life,
        monitor: &Watcher,
    ) -> Result<Option<Connection>, EngineError> {
        if let Some(mut connection) = self.connect_to(id, life, monitor)? {
            // Answered in its loop, so not before the container has been started.
            match connection.ask(&Request::Ping) {
                Ok(()) => return Ok(Some(connection)),
                Err(EngineError::MonitorGone { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        match monitor.wait_end(ENDING) {
            true => Ok(None),
            false => Err(monitor.silent(id)),
        }
    }
}
