//! `completion`: write a completion script.

use std::str::FromStr as _;

use clap_complete::Shell;

use crate::app::App;
use crate::args::{Runnable, tree};
use crate::error::{CliError, CommandResult, ExitStatus};

/// Print the completion script of a shell
#[derive(Debug, clap::Args)]
pub(crate) struct CompletionArgs {
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for CompletionArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let wanted = self.args.first().map_or("", String::as_str);
        let shell = Shell::from_str(wanted).map_err(|_| {
            CliError::plain(format!("no completions for {wanted:?}"))
                .hint("the shells are bash, zsh, fish, elvish and powershell")
        })?;
        clap_complete::generate(
            shell,
            &mut tree(app.program, app.table),
            app.program,
            app.ui.data(),
        );
        Ok(ExitStatus::Success)
    }
}
