//! Work in forked children: the parent has one thread, and only waits.
//!
//! A child ends with its parent, whatever happens to that, and sends its result through a pipe.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};

use coracle_sys::fork::{Fork, exit_now, fork};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, Signal, WaitOptions, set_parent_process_death_signal};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::StepError;

/// A child at work.
#[derive(Debug)]
pub(super) struct Child {
    pid: Pid,
    pipe: File,
    told: Vec<u8>,
}

impl AsFd for Child {
    /// Readable when [`Child::read`] does not wait.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pipe.as_fd()
    }
}

impl Child {
    /// Starts `job` in a child.
    pub(super) fn start<T: Serialize>(
        job: impl FnOnce() -> Result<T, StepError>,
    ) -> Result<Self, StepError> {
        let failed = |error: &dyn std::error::Error| StepError::internal("start a child", error);
        let (read, write) = pipe_with(PipeFlags::CLOEXEC).map_err(|errno| failed(&errno))?;
        match fork().map_err(|error| failed(&error))? {
            Fork::Child => {
                drop(read);
                let ends = set_parent_process_death_signal(Some(Signal::KILL)).is_ok();
                // What unwinds must not get to the code of the parent.
                let result = catch_unwind(AssertUnwindSafe(job));
                let result = result.unwrap_or_else(|_| Err(StepError::new("a child panicked")));
                let bytes = serde_json::to_vec(&result).unwrap_or_default();
                let sent = write_all(&write, &bytes);
                exit_now(i32::from(!(sent && ends)));
            }
            Fork::Parent(pid) => {
                drop(write);
                // What the job holds goes with it; a closed descriptor tells the child nothing.
                drop(job);
                Ok(Self { pid, pipe: File::from(read), told: Vec::new() })
            }
        }
    }

    /// Takes what the child sends; true when it has ended.
    pub(super) fn read(&mut self) -> bool {
        let mut chunk = [0; 16 * 1024];
        match self.pipe.read(&mut chunk) {
            Ok(0) => true,
            Ok(length) => {
                self.told.extend_from_slice(&chunk[..length]);
                false
            }
            Err(error) => error.kind() != std::io::ErrorKind::Interrupted,
        }
    }

    /// The result of a child that has ended.
    pub(super) fn finish<T: DeserializeOwned>(self) -> Result<T, StepError> {
        // Only its own parent waits for it.
        rustix::process::waitpid(Some(self.pid), WaitOptions::empty()).ok();
        serde_json::from_slice::<Result<T, StepError>>(&self.told).unwrap_or_else(|_| {
            let text = "a process of the build was killed";
            Err(StepError { is_internal: true, ..StepError::new(text) })
        })
    }

    /// Ends it at once.
    pub(super) fn kill(self) {
        // It may have ended by itself.
        rustix::process::kill_process(self.pid, Signal::KILL).ok();
        rustix::process::waitpid(Some(self.pid), WaitOptions::empty()).ok();
    }
}

fn write_all(pipe: impl AsFd, mut bytes: &[u8]) -> bool {
    while !bytes.is_empty() {
        match rustix::io::write(&pipe, bytes) {
            Ok(length) => bytes = &bytes[length..],
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait<T: DeserializeOwned>(mut child: Child) -> Result<T, StepError> {
        while !child.read() {}
        child.finish()
    }

    #[test]
    fn results_and_errors_come_back() {
        // Test runners have threads: what forks is tried where the tests of the whole build are.
        let Ok(child) = Child::start(|| Ok::<_, StepError>(vec![7u32; 30_000])) else { return };
        assert_eq!(wait::<Vec<u32>>(child).unwrap().len(), 30_000);
        let child = Child::start(|| Err::<u32, _>(StepError::new("no"))).unwrap();
        assert_eq!(wait::<u32>(child), Err(StepError::new("no")));
    }
}
