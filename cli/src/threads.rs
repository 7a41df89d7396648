//! Work that spoils the thread it runs in.

use std::io::{Read as _, Write as _};

use coracle_sys::fork::{Fork, exit_now, fork};
use rustix::process::WaitOptions;

use crate::error::CliError;

/// Runs `work` in a thread of its own, because it leaves the mount namespace and with
/// it the folder that relative paths begin at.
pub(crate) fn apart<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, CliError> {
    std::thread::scope(|scope| {
        scope
            .spawn(work)
            .join()
            .map_err(|_| CliError::plain("internal error: a thread ended unexpectedly"))
    })
}

/// Runs `work` in a child process, because it spoils more than a thread, or starts threads in
/// a process that must have none. The child ends with it.
pub(crate) fn in_child(work: impl FnOnce() -> Result<(), CliError>) -> Result<(), CliError> {
    let failed = |error: std::io::Error| CliError::plain(format!("cannot start a child: {error}"));
    let (mut read, mut write) = std::io::pipe().map_err(failed)?;
    match fork().map_err(|error| CliError::plain(format!("cannot start a child: {error}")))? {
        Fork::Child => {
            drop(read);
            let said = match work() {
                Ok(()) => String::new(),
                Err(error) => error.to_string(),
            };
            let told = write.write_all(said.as_bytes());
            exit_now(i32::from(told.is_err() || !said.is_empty()))
        }
        Fork::Parent(child) => {
            drop(write);
            let mut said = String::new();
            read.read_to_string(&mut said).map_err(failed)?;
            let status = rustix::process::waitpid(Some(child), WaitOptions::empty());
            let well =
                status.is_ok_and(|status| status.is_some_and(|(_, s)| s.exit_status() == Some(0)));
            match (well, said.is_empty()) {
                (true, _) => Ok(()),
                (false, true) => Err(CliError::plain("internal error: a child ended unexpectedly")),
                (false, false) => Err(CliError::plain(said)),
            }
        }
    }
}
