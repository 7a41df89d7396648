//! `volume prune`: remove unused volumes.

use std::io::Write as _;

use coracle_runtime::EngineError;
use coracle_runtime::events::Kind;
use coracle_runtime::volumes::{Filter as VolumeFilter, Pruned, Volume};

use super::rows::{Users, error};
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
    let list = app.engine()?.records.lock().map_err(EngineError::from)?;
    let users = Users::read(app)?;
    if app.engine()?.has_unknown_users()? {
        // Nobody knows what is unused.
        app.warn_of_damage();
        let text = "warning: no volume is removed while the record of a container cannot be read";
        writeln!(app.ui.status(), "{text}")?;
        return Ok(Pruned::default());
    }
    let engine = app.engine()?;
    let damaged = engine.records.list().map_err(EngineError::from)?.damaged;
    let used = |volume: &Volume| {
        let mentions = |id: &String| engine.records.mentions(id, &volume.name);
        !users.of(volume).is_empty() || damaged.iter().any(|container| mentions(&container.id))
    };
    let pruned = engine.volumes.prune(list, all, &filter, used).map_err(error)?;
    for name in &pruned.names {
        engine.events.object(Kind::Volume, "destroy", name, &[("driver", "local")]);
    }
    Ok(pruned)
}
