//! Files of a container whose content is kept in memory alone: secrets and configs of a task.
//!
//! # How it works
//!
//! The record says where they are to be, and whose ([`DeliveredFile`]); their content is handed over before each start
//! and written to the tmpfs that is mounted in the user's own mount namespace. The monitor has them mounted read-only,
//! each at its place, and takes them away when the container has ended. A command that was killed before the start
//! delivers again.
//!
//! # Limits
//!
//! What is in memory may be swapped, as with Docker.

use std::fmt;

use super::Engine;
use super::hold::Held;
use crate::delivered;
use crate::error::EngineError;
use crate::session::Session;

/// The content of a delivered file.
#[derive(Clone, Copy)]
pub struct TaskFile<'a> {
    /// As in [`DeliveredFile`](crate::model::DeliveredFile).
    pub target: &'a str,
    pub content: &'a [u8],
}

impl fmt::Debug for TaskFile<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskFile").field("target", &self.target).finish_non_exhaustive()
    }
}

impl Engine {
    /// Hands over the content of a container's files, all of them; to be called before it is started.
    ///
    /// # Errors
    /// When one is missing or cannot be written.
    pub fn deliver_task(
        &self,
        _session: &Session,
        id: &str,
        files: &[TaskFile<'_>],
    ) -> Result<(), EngineError> {
        let Held { lock: _lock, container, mut life, monitor } = self.hold(id)?;
        if monitor.is_some() {
            // It has them.
            return Ok(());
        }
        // What is taken down when it is started would take them along.
        self.bury(&container, &mut life)?;
        for (number, wanted) in container.delivered.iter().enumerate() {
            let target = &wanted.target;
            let file = files.iter().find(|file| file.target == target).ok_or_else(|| {
                EngineError::Refuse(format!("nothing was handed over for {target}"))
            })?;
            delivered::write(&self.paths, &container.id, number, wanted, file.content)
                .map_err(EngineError::io(format!("deliver {target}")))?;
        }
        Ok(())
    }
}
