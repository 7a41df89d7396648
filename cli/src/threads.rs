//! Work that spoils the thread it runs in.

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
