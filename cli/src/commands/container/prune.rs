//! `container prune`: remove all stopped containers.

use std::io::Write as _;

use coracle_runtime::EngineError;
use coracle_runtime::engine::RemoveOptions;
use coracle_runtime::records::RecordError;

use crate::app::App;
use crate::args::Runnable;
use crate::commands::prune::{PruneFlags, section, with_keys};
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::format::units;
use coracle_view::container;
use coracle_view::container::time;
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
        let filters = Filters::new(&self.common.filters(app), &["label", "label!", "until"])?;
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
    let until = filters.until(&app.asked())?;
    let mut removed = Vec::new();
    let mut freed = 0;
    for known in container::list(&app.home)? {
        let container = &known.container;
        let old_enough =
            until.is_none_or(|limit| time(container.created).is_some_and(|t| t < limit));
        if known.state.status.is_running()
            || !old_enough
            || !filters.labels(&container.config.labels)
        {
            continue;
        }
        // One whose size cannot be told is removed all the same.
        let own = container::size(&mut app.home, &known).map_or(0, |(own, _)| own);
        let (engine, session) = app.engine_in_session()?;
        match engine.remove(session, &container.id, RemoveOptions::default()) {
            // Somebody was faster, or started it since we looked.
            Err(
                EngineError::Record(RecordError::NotFound { .. })
                | EngineError::RemoveRunning { .. },
            ) => continue,
            outcome => outcome?,
        }
        freed += own;
        removed.push(container.id.clone());
    }
    Ok((removed, freed))
}
