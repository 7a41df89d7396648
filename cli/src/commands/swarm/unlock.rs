//! `swarm unlock`: open a locked swarm with its key.

use std::io::{BufRead as _, Read as _};

use coracle_swarm::protocol::Request;
use coracle_swarm::seal::Key;
use zeroize::Zeroizing;

use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::terminal::ask_unseen;

/// A key is much shorter.
const KEY_BYTES_MAX: usize = 4096;

/// Open a locked swarm with its key, from the terminal or standard input
#[derive(Debug, clap::Args)]
pub(crate) struct SwarmUnlockArgs {}

impl Runnable for SwarmUnlockArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let (swarm, reader) = app.swarm_state()?;
        if !reader.is_swarm() {
            return Err(CliError::plain("error: this node is not part of a swarm"));
        }
        if !swarm.is_locked(&reader.state) {
            return Err(CliError::plain("error: swarm is not locked"));
        }
        let key = read_key(app)?;
        if Key::from_unlock_key(&key).is_none() {
            return Err(CliError::engine("invalid key string"));
        }
        app.order(&Request::Unlock { key })?;
        Ok(ExitStatus::Success)
    }
}

fn read_key(app: &mut App) -> Result<Zeroizing<String>, CliError> {
    if rustix::termios::isatty(std::io::stdin()) {
        return ask_unseen(app, "Enter unlock key: ").map(Zeroizing::new);
    }
    let mut line = Zeroizing::new(String::with_capacity(KEY_BYTES_MAX));
    let stdin = std::io::stdin().lock();
    let failed = |error| CliError::plain(format!("cannot read the key: {error}"));
    stdin.take(KEY_BYTES_MAX as u64).read_line(&mut line).map_err(failed)?;
    Ok(Zeroizing::new(line.trim().to_owned()))
}
