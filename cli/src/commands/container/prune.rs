//! `container prune`: remove all stopped containers.

use std::io::Write as _;

use crate::app::App;
use crate::args::Runnable;
use crate::commands::prune::{PruneFlags, section, with_keys};
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::format::units;
use coracle_view::container;
use coracle_view::filter::Filters;

/// Remove all stopped containers
#[derive(Debug, clap::Args)]
#[command(mut_args(with_keys("label, label!, until")))]
pub(crate) struct ContainerPruneArgs {
    #[command(flatten)]
    pub(crate) common: PruneFlags,
}

impl Runnable for ContainerPruneArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let filters = Filters::new(&self.common.filters(app), container::PRUNE_FILTERS)?;
        if !self.common.confirms(app, "all stopped containers")? {
            return Ok(ExitStatus::Success);
        }
        let (removed, freed) = prune(app, &filters)?;
        section(app, "Deleted Containers:", &removed)?;
        writeln!(app.ui.data(), "Total reclaimed space: {}", units::human_size(freed))?;
        Ok(ExitStatus::Success)
    }
}

/// Removes stopped containers; gives their ids and the bytes set free.
pub(crate) fn prune(app: &mut App, filters: &Filters) -> Result<(Vec<String>, u64), CliError> {
    let chosen = container::prunable(&app.home, filters, &app.asked())?;
    let (engine, session) = app.engine_in_session()?;
    Ok(engine.prune_containers(session, &chosen)?)
}
