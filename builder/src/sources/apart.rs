//! Work in a child: what waits for the network, and starts threads to look names up.

use std::fs::File;
use std::io::{self, Read, Write};

use coracle_sys::fork::{Fork, exit_now, fork};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{WaitOptions, waitpid};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::{SourceError, Told};

/// Does `job` in a forked child and waits for its result. The caller stays without threads.
///
/// Whoever has several at once, and polls, forks its own children and hands up [`SourceError::told`].
///
/// # Errors
/// Those of the job, or of making a child.
pub fn apart<T: Serialize + DeserializeOwned>(
    job: impl FnOnce() -> Result<T, SourceError>,
) -> Result<T, SourceError> {
    let failed = |what| move |source: io::Error| SourceError::Child { what, source };
    let (read, write) = pipe_with(PipeFlags::CLOEXEC)
        .map_err(io::Error::from)
        .map_err(failed("make a pipe for a child"))?;
    match fork().map_err(io::Error::other).map_err(failed("start a child"))? {
        Fork::Child => {
            drop(read);
            let result = job().map_err(|error| error.told());
            let bytes = serde_json::to_vec(&result).unwrap_or_default();
            exit_now(i32::from(File::from(write).write_all(&bytes).is_err()));
        }
        Fork::Parent(child) => {
            drop(write);
            drop(job);
            let mut bytes = Vec::new();
            let heard = File::from(read).read_to_end(&mut bytes);
            // One that is gone already has told what it had to.
            waitpid(Some(child), WaitOptions::empty()).ok();
            heard.map_err(failed("hear from the child that fetches a source"))?;
            let result: Result<T, Told> = serde_json::from_slice(&bytes)
                .map_err(|_| io::Error::other("it died"))
                .map_err(failed("hear from the child that fetches a source"))?;
            result.map_err(SourceError::Told)
        }
    }
}
