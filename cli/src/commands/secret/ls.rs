//! `secret ls` and `config ls`: list what the swarm keeps.

use std::io::Write as _;

use coracle_view::secret::{self, Kind};

use super::rows::{CONFIGS, SECRETS, row};
use crate::app::App;
use crate::args::Runnable;
use crate::args::values::{self, Filter};
use crate::commands::chosen_format;
use crate::error::{CommandResult, ExitStatus};
use crate::format::Listing;

/// What both have.
#[derive(Debug, clap::Args)]
pub(crate) struct LsFlags {
    /// Show only matches, key=value (id, label, name)
    #[arg(long, short = 'f', value_name = "filter", value_parser = values::filter)]
    pub(crate) filter: Vec<Filter>,
    /// Layout: table, 'table TEMPLATE', json, or a Go template for each line
    #[arg(long, value_name = "string")]
    pub(crate) format: Option<String>,
    /// Print only ids
    #[arg(long, short = 'q')]
    pub(crate) quiet: bool,
}

/// List secrets
#[derive(Debug, clap::Args)]
pub(crate) struct SecretLsArgs {
    #[command(flatten)]
    pub(crate) flags: LsFlags,
}

/// List configs
#[derive(Debug, clap::Args)]
pub(crate) struct ConfigLsArgs {
    #[command(flatten)]
    pub(crate) flags: LsFlags,
}

impl Runnable for SecretLsArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        print(app, Kind::Secret, &self.flags)
    }
}

impl Runnable for ConfigLsArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        print(app, Kind::Config, &self.flags)
    }
}

fn print(app: &mut App, kind: Kind, flags: &LsFlags) -> CommandResult {
    let swarm = app.manager()?;
    let all = secret::list(&swarm.state, kind, &flags.filter)?;
    let (columns, setting) = match kind {
        Kind::Secret => (&SECRETS, "secretFormat"),
        Kind::Config => (&CONFIGS, "configFormat"),
    };
    let format = match flags.quiet {
        true => flags.format.clone(),
        false => chosen_format(app, flags.format.as_deref(), setting),
    };
    let rows: Vec<_> = all.iter().map(|one| row(kind, one, app.now())).collect();
    let text = Listing::new(columns, format.as_deref(), flags.quiet)?.render(&rows)?;
    write!(app.ui.data(), "{text}")?;
    Ok(ExitStatus::Success)
}
