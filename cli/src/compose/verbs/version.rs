//! `compose version`: the version, as of Compose.

use std::io::Write as _;

use crate::VERSION;
use crate::app::App;
use crate::args::Runnable;
use crate::error::{CommandResult, ExitStatus};

/// Show the version
#[derive(Debug, clap::Args)]
pub(crate) struct ComposeVersionArgs {
    /// Layout: pretty or json
    #[arg(long, short = 'f', value_name = "string")]
    format: Option<String>,

    /// Print only the number
    #[arg(long)]
    short: bool,
}

impl Runnable for ComposeVersionArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        print(app, self.format.as_deref(), self.short)
    }
}

pub(crate) fn print(app: &mut App, format: Option<&str>, short: bool) -> CommandResult {
    let name = if app.program == "docker" { "Docker" } else { "Coracle" };
    let out = app.ui.data();
    match format {
        _ if short => writeln!(out, "{VERSION}")?,
        Some("json") => writeln!(out, "{{\"version\":\"{VERSION}\"}}")?,
        _ => writeln!(out, "{name} Compose version {VERSION}")?,
    }
    Ok(ExitStatus::Success)
}
