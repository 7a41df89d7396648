//! `system dial-stdio`: standard input and output are a connection to the Engine API.
//!
//! Docker's client runs this on the other machine for `DOCKER_HOST=ssh://…`. Where no service listens, one is started,
//! which ends when nobody was connected for a while.

use std::io::{self, Write as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;

use super::service::{default_socket, started};
use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult, ExitStatus};

/// Seconds for which the service that is started stays without clients.
const IDLE_S: &str = "60";

/// Connect standard input and output with the Engine API
#[derive(Debug, clap::Args)]
pub(crate) struct SystemDialStdioArgs {}

impl Runnable for SystemDialStdioArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let socket = default_socket(app)?;
        let stream = match UnixStream::connect(&socket) {
            Ok(stream) => stream,
            Err(_) => started(&socket, &["--time", IDLE_S])?,
        };
        app.ui.flush()?;
        let failed =
            |error: io::Error| CliError::plain(format!("the connection broke off: {error}"));
        let mut there = stream.try_clone().map_err(failed)?;
        // It ends with the process: what the other side says last counts.
        std::thread::spawn(move || {
            drop(io::copy(&mut io::stdin().lock(), &mut there));
            drop(there.shutdown(Shutdown::Write));
        });
        let mut back = &stream;
        let out = app.ui.data();
        let mut bytes = vec![0; 32 * 1024];
        loop {
            let count = match io::Read::read(&mut back, &mut bytes) {
                Ok(0) => return Ok(ExitStatus::Success),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(failed(error)),
            };
            out.write_all(&bytes[..count])?;
            out.flush()?;
        }
    }
}
