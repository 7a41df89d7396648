//! `compose config`: print the project as it was understood.

use std::io::Write as _;

use super::load;
use crate::app::App;
use crate::args::Runnable;
use crate::error::{CommandResult, ExitStatus};

/// Print the resolved project
#[derive(Debug, clap::Args)]
pub(crate) struct ComposeConfigArgs {
    /// Layout: yaml or json
    #[arg(long, value_name = "string")]
    format: Option<String>,

    #[arg(value_name = "ARG", hide = true)]
    args: Vec<String>,
}

impl Runnable for ComposeConfigArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let loaded = load::load(app, &self.args)?;
        let text = serde_json::to_string_pretty(&loaded.project).unwrap_or_default();
        writeln!(app.ui.data(), "{}", text.replace('$', "$$"))?;
        Ok(ExitStatus::Success)
    }
}
