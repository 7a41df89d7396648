//! `network ls`: list networks.

use std::io::Write as _;

use coracle_view::network;

use super::rows::{COLUMNS, row};
use crate::app::App;
use crate::args::Runnable;
use crate::args::values::{self, Filter};
use crate::commands::{chosen_format, warn_ignored_format};
use crate::error::{CommandResult, ExitStatus};
use crate::format::Listing;

/// List networks
#[derive(Debug, clap::Args)]
pub(crate) struct NetworkLsArgs {
    /// Show only matches, key=value (dangling, driver, id, label, name, scope, type)
    #[arg(long, short = 'f', value_name = "filter", value_parser = values::filter)]
    pub(crate) filter: Vec<Filter>,
    /// Layout: table, 'table TEMPLATE', json, or a Go template for each line
    #[arg(long, value_name = "string")]
    pub(crate) format: Option<String>,
    /// Print ids in full
    #[arg(long)]
    pub(crate) no_trunc: bool,
    /// Print only ids
    #[arg(long, short = 'q')]
    pub(crate) quiet: bool,
}

impl Runnable for NetworkLsArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let given = self.format.as_deref();
        let format = chosen_format(app, given, "networksFormat");
        let listing = Listing::new(&COLUMNS, format.as_deref(), self.quiet)?;
        let networks = network::list(&app.home, &self.filter)?;
        let rows: Vec<_> = networks.iter().map(|network| row(network, self.no_trunc)).collect();
        warn_ignored_format(app, given, self.quiet)?;
        let text = listing.render(&rows)?;
        write!(app.ui.data(), "{text}")?;
        Ok(ExitStatus::Success)
    }
}
