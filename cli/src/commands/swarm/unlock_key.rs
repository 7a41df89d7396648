//! `swarm unlock-key`: show or renew the key that opens a locked swarm.

use std::io::Write as _;

use coracle_swarm::protocol::Request;

use super::words;
use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult, ExitStatus};

/// Show or renew the key that opens a locked swarm
#[derive(Debug, clap::Args)]
pub(crate) struct SwarmUnlockKeyArgs {
    /// Print only the key
    #[arg(long, short = 'q')]
    pub(crate) quiet: bool,
    /// Make a new one; the old one opens nothing any more
    #[arg(long)]
    pub(crate) rotate: bool,
}

impl Runnable for SwarmUnlockKeyArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let fetching = |mut error: CliError| {
            error.message = format!("could not fetch unlock key: {}", error.message);
            error
        };
        let swarm = app.manager().map_err(fetching)?;
        if self.rotate && !swarm.state.cluster.spec.encryption_config.auto_lock_managers {
            return Err(CliError::plain("cannot rotate because autolock is not turned on"));
        }
        let key = app.text_of(&Request::UnlockKey { rotate: self.rotate }).map_err(fetching)?;
        if key.is_empty() {
            return Err(CliError::plain("no unlock key is set"));
        }
        if self.quiet {
            writeln!(app.ui.data(), "{}", key.as_str())?;
            return Ok(ExitStatus::Success);
        }
        if self.rotate {
            writeln!(app.ui.data(), "Successfully rotated manager unlock key.")?;
        }
        app.ui.data().write_all(words::unlock(app.program, &key).as_bytes())?;
        Ok(ExitStatus::Success)
    }
}
