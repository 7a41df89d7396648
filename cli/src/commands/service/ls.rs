//! `service ls`: list services.

use std::io::Write as _;

use coracle_swarm::model::Service;
use coracle_swarm::state::State;
use coracle_view::service;

use super::rows::{COLUMNS, row};
use crate::app::App;
use crate::args::Runnable;
use crate::args::values::{self, Filter};
use crate::commands::chosen_format;
use crate::error::{CommandResult, ExitStatus};
use crate::format::Listing;

/// List services
#[derive(Debug, clap::Args)]
pub(crate) struct ServiceLsArgs {
    /// Show only matches, key=value (id, label, mode, name, runtime)
    #[arg(long, short = 'f', value_name = "filter", value_parser = values::filter)]
    pub(crate) filter: Vec<Filter>,
    /// Layout: table, 'table TEMPLATE', json, or a Go template for each line
    #[arg(long, value_name = "string")]
    pub(crate) format: Option<String>,
    /// Print only ids
    #[arg(long, short = 'q')]
    pub(crate) quiet: bool,
}

impl Runnable for ServiceLsArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let swarm = app.manager()?;
        let services = service::list(&swarm.state, &self.filter)?;
        print(app, &swarm.state, &services, self.format.as_deref(), self.quiet)
    }
}

/// Prints services in the order they are given in; `stack services` does it too.
pub(crate) fn print(
    app: &mut App,
    state: &State,
    services: &[&Service],
    given: Option<&str>,
    quiet: bool,
) -> CommandResult {
    let format = match quiet {
        true => given.map(str::to_owned),
        false => chosen_format(app, given, "servicesFormat"),
    };
    let listing = Listing::new(&COLUMNS, format.as_deref(), quiet)?;
    let rows: Vec<_> = services.iter().map(|service| row(state, service)).collect();
    let text = listing.render(&rows)?;
    write!(app.ui.data(), "{text}")?;
    Ok(ExitStatus::Success)
}
