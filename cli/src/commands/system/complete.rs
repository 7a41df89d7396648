//! `__complete`: what may follow, for the script of a shell.

use std::io::Write as _;

use crate::app::App;
use crate::args::Runnable;
use crate::completion::answer;
use crate::error::{CommandResult, ExitStatus};

/// Print what may follow
#[derive(Debug, clap::Args)]
pub(crate) struct CompleteArgs {
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for CompleteArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let text = answer(app, &self.args);
        app.ui.data().write_all(text.as_bytes())?;
        Ok(ExitStatus::Success)
    }
}
