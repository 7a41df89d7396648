//! `volume prune`: remove unused volumes.

use std::io::Write as _;

use coracle_runtime::volumes::{Filter as VolumeFilter, Pruned, Volume};
use coracle_view::volume;

use super::rows::error;
use crate::app::App;
use crate::args::Runnable;
use crate::args::values::Filter;
use crate::commands::prune::{PruneFlags, section, with_keys};
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::format::units;

/// Remove unused volumes
#[derive(Debug, clap::Args)]
#[command(mut_args(with_keys("all, label, label!")))]
pub(crate) struct VolumePruneArgs {
    /// Include named volumes; without it only anonymous ones go
    #[arg(long, short = 'a')]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) common: PruneFlags,
}

impl Runnable for VolumePruneArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let what = match self.all {
            true => "all local volumes not used by at least one container",
            false => "anonymous local volumes not used by at least one container",
        };
        if !self.common.confirms(app, what)? {
            return Ok(ExitStatus::Success);
        }
        let pruned = prune(app, self.all, &self.common.filters(app))?;
        section(app, "Deleted Volumes:", &pruned.names)?;
        writeln!(app.ui.data(), "Total reclaimed space: {}", units::human_size(pruned.bytes))?;
        Ok(ExitStatus::Success)
    }
}

pub(crate) fn prune(app: &mut App, all: bool, filters: &[Filter]) -> Result<Pruned, CliError> {
    let pairs = filters.iter().map(|f| (f.key.as_str(), f.value.as_str()));
    let filter = VolumeFilter::for_prune(pairs).map_err(error)?;
    let of_node = volume::all(&app.home, app.node)?;
    let is_kept = |volume: &Volume| !of_node.iter().any(|one| one.stored == volume.name);
    let keep = |volume: &Volume| app.node.is_some() && is_kept(volume);
    if let Some(mut pruned) = app.engine()?.prune_volumes(all, &filter, keep)? {
        for name in &mut pruned.names {
            if let Some(one) = of_node.iter().find(|one| one.stored == *name) {
                name.clone_from(&one.seen.name);
            }
        }
        return Ok(pruned);
    }
    app.warn_of_damage();
    let text = "warning: no volume is removed while the record of a container cannot be read";
    writeln!(app.ui.status(), "{text}")?;
    Ok(Pruned::default())
}
