//! `logout`: forget the credentials of a registry.

use std::io::Write as _;

use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult, ExitStatus};

/// Forget the credentials of a registry
#[derive(Debug, clap::Args)]
pub(crate) struct LogoutArgs {
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for LogoutArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let registry = super::login::registry(self.args.first().map(String::as_str));
        writeln!(app.ui.data(), "Removing login credentials for {}", registry.shown)?;
        app.credentials().erase(&registry.key).map_err(|e| {
            let hint = e.hint();
            let mut error = CliError::library(&e, hint);
            error.message = format!("could not erase credentials: {e}");
            error
        })?;
        Ok(ExitStatus::Success)
    }
}
