//! `stack config`: print the files of a stack as one, with variables put in.

use std::io::Write as _;

use super::files;
use crate::app::App;
use crate::args::Runnable;
use crate::error::{CommandResult, ExitStatus};

/// Outputs the final config file, after doing merges and interpolations
#[derive(Debug, clap::Args)]
pub(crate) struct StackConfigArgs {
    /// Compose file, - for standard input; several are merged
    #[arg(long, short = 'c', value_name = "stringSlice", value_delimiter = ',')]
    compose_file: Vec<String>,
    /// Leave variables as they are
    #[arg(long)]
    skip_interpolation: bool,
    #[arg(value_name = "ARG", hide = true)]
    args: Vec<String>,
}

impl Runnable for StackConfigArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let stack = files::load(app, &self.compose_file, self.skip_interpolation)?;
        app.ui.data().write_all(stack.yaml().as_bytes())?;
        Ok(ExitStatus::Success)
    }
}
