//! `unshare`: run a command as root of the user's namespaces.
//!
//! Files of subordinate ids, which containers leave in bind mounts, cannot be touched by the
//! user from outside: in here they can.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult, ExitStatus};

/// Run a command as root of the user's namespaces
#[derive(Debug, clap::Args)]
pub(crate) struct UnshareArgs {
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for UnshareArgs {
    /// Comes back only when the command cannot be run.
    fn execute(self, app: &mut App) -> CommandResult {
        if let Some(umask) = app.umask {
            rustix::process::umask(umask);
        }
        let shell = app.settings.environment.get("SHELL");
        let (program, args) = match self.args.split_first() {
            Some((program, args)) => (program.clone(), args),
            None => (shell.unwrap_or("/bin/sh").to_owned(), &[][..]),
        };
        app.ui.flush()?;
        let error = Command::new(&program).args(args).exec();
        let status = match error.kind() {
            std::io::ErrorKind::NotFound => ExitStatus::NotFound,
            _ => ExitStatus::NotExecutable,
        };
        let failed = CliError::plain(format!("cannot run {program}: {error}"));
        Err(CliError { status, ..failed })
    }
}
