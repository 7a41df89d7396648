//! `compose version`: the version, as of Compose.
//!
//! Programs compare the number with those of Compose's releases to know what they may ask for, so it is that of the
//! release that is followed. Who gives the command by our own name reads our own version beside it.

use std::io::Write as _;

use coracle_compose::FOLLOWED;

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
    let is_docker = app.program == "docker";
    let out = app.ui.data();
    match format {
        _ if short => writeln!(out, "{FOLLOWED}")?,
        Some("json") => writeln!(out, "{{\"version\":\"v{FOLLOWED}\"}}")?,
        _ if is_docker => writeln!(out, "Docker Compose version v{FOLLOWED}")?,
        _ => writeln!(out, "Coracle Compose version {VERSION} (as Docker Compose v{FOLLOWED})")?,
    }
    Ok(ExitStatus::Success)
}
