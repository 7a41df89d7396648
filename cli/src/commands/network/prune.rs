//! `network prune`: remove unused networks.

use coracle_runtime::networks::{Filter as NetworkFilter, Network};

use super::rows::error;
use crate::app::App;
use crate::args::Runnable;
use crate::args::values::Filter;
use crate::commands::prune::{PruneFlags, section, with_keys};
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::filters::moment;

/// Remove unused networks
#[derive(Debug, clap::Args)]
#[command(mut_args(with_keys("label, label!, until")))]
pub(crate) struct NetworkPruneArgs {
    #[command(flatten)]
    pub(crate) common: PruneFlags,
}

impl Runnable for NetworkPruneArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let what = "all custom networks not used by at least one container";
        if !self.common.confirms(app, what)? {
            return Ok(ExitStatus::Success);
        }
        let names = prune(app, &self.common.filters(app))?;
        section(app, "Deleted Networks:", &names)?;
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
    // Those that could be are the machine's.
    if app.node.is_some_and(|number| number > 0) {
        return Ok(Vec::new());
    }
    // A service may use one though no task of it runs.
    let in_swarm = |_: &Network| Some("the swarm".to_owned());
    Ok(app.engine()?.prune_networks(&filter, in_swarm)?)
}
