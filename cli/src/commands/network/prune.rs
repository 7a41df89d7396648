//! `network prune`: remove unused networks.

use std::io::Write as _;

use coracle_runtime::networks::Filter as NetworkFilter;

use super::rows::error;
use crate::app::App;
use crate::args::Runnable;
use crate::args::values::{self, Filter};
use crate::commands::confirm_removal;
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::filters::{for_prune, moment};

/// Remove unused networks
#[derive(Debug, clap::Args)]
pub(crate) struct NetworkPruneArgs {
    /// Remove only matches, key=value (label, label!, until)
    #[arg(long, value_name = "filter", value_parser = values::filter)]
    pub(crate) filter: Vec<Filter>,
    /// Skip the confirmation question
    #[arg(long, short = 'f')]
    pub(crate) force: bool,
}

impl Runnable for NetworkPruneArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let what = "all custom networks not used by at least one container";
        if !self.force && !confirm_removal(app, what)? {
            return Ok(ExitStatus::Success);
        }
        let names = prune(app, &for_prune(app, &self.filter))?;
        if !names.is_empty() {
            writeln!(app.ui.data(), "Deleted Networks:")?;
            for name in &names {
                writeln!(app.ui.data(), "{name}")?;
            }
            writeln!(app.ui.data())?;
        }
        Ok(ExitStatus::Success)
    }
}

/// Removes networks that nobody is connected to; gives their names.
pub(crate) fn prune(app: &App, filters: &[Filter]) -> Result<Vec<String>, CliError> {
    let mut until = None;
    for filter in filters.iter().filter(|filter| filter.key == "until") {
        if until.is_some() {
            return Err(CliError::engine("more than one until filter specified"));
        }
        until = Some(moment(&filter.value)?);
    }
    let pairs = filters.iter().map(|f| (f.key.as_str(), f.value.as_str()));
    let filter = NetworkFilter::for_prune(pairs, until).map_err(error)?;
    Ok(app.engine()?.prune_networks(&filter)?)
}
