//! `volume prune`: remove unused volumes.

use std::io::Write as _;

use coracle_runtime::volumes::{Filter as VolumeFilter, Pruned};

use super::rows::error;
use crate::app::App;
use crate::args::Runnable;
use crate::args::values::{self, Filter};
use crate::commands::confirm_removal;
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::filters::for_prune;
use crate::format::units;

/// Remove unused volumes
#[derive(Debug, clap::Args)]
pub(crate) struct VolumePruneArgs {
    /// Include named volumes; without it only anonymous ones go
    #[arg(long, short = 'a')]
    pub(crate) all: bool,
    /// Remove only matches, key=value (all, label, label!)
    #[arg(long, value_name = "filter", value_parser = values::filter)]
    pub(crate) filter: Vec<Filter>,
    /// Skip the confirmation question
    #[arg(long, short = 'f')]
    pub(crate) force: bool,
}

impl Runnable for VolumePruneArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let what = match self.all {
            true => "all local volumes not used by at least one container",
            false => "anonymous local volumes not used by at least one container",
        };
        if !self.force && !confirm_removal(app, what)? {
            return Ok(ExitStatus::Success);
        }
        let pruned = prune(app, self.all, &for_prune(app, &self.filter))?;
        if !pruned.names.is_empty() {
            writeln!(app.ui.data(), "Deleted Volumes:")?;
            for name in &pruned.names {
                writeln!(app.ui.data(), "{name}")?;
            }
            writeln!(app.ui.data())?;
        }
        writeln!(app.ui.data(), "Total reclaimed space: {}", units::human_size(pruned.bytes))?;
        Ok(ExitStatus::Success)
    }
}

pub(crate) fn prune(app: &mut App, all: bool, filters: &[Filter]) -> Result<Pruned, CliError> {
    let pairs = filters.iter().map(|f| (f.key.as_str(), f.value.as_str()));
    let filter = VolumeFilter::for_prune(pairs).map_err(error)?;
    if let Some(pruned) = app.engine()?.prune_volumes(all, &filter)? {
        return Ok(pruned);
    }
    app.warn_of_damage();
    let text = "warning: no volume is removed while the record of a container cannot be read";
    writeln!(app.ui.status(), "{text}")?;
    Ok(Pruned::default())
}
