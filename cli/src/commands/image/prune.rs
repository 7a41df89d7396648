//! `image prune`: remove unused images.

use std::io::Write as _;

use coracle_image::store::{PruneFilter, Removed};

use crate::app::App;
use crate::args::Runnable;
use crate::commands::prune::{PruneFlags, section, with_keys};
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::format::units;
use coracle_view::filter::Filters;
use coracle_view::image::{PRUNE_FILTERS, prunable};

/// Remove unused images
#[derive(Debug, clap::Args)]
#[command(mut_args(with_keys("dangling, label, label!, until")))]
pub(crate) struct ImagePruneArgs {
    /// Drop every image no container uses, not only dangling ones
    #[arg(long, short = 'a')]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) common: PruneFlags,
}

impl Runnable for ImagePruneArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let filters = Filters::new(&self.common.filters(app), PRUNE_FILTERS)?;
        let all = self.all || filters.truth("dangling")? == Some(false);
        let what = match all {
            true => "all images without at least one container associated to them",
            false => "all dangling images",
        };
        if !self.common.confirms(app, what)? {
            return Ok(ExitStatus::Success);
        }
        let (report, freed) = prune(app, all, &filters)?;
        section(app, "Deleted Images:", &report)?;
        writeln!(app.ui.data(), "Total reclaimed space: {}", units::human_size(freed))?;
        Ok(ExitStatus::Success)
    }
}

/// Removes images; gives the lines of the report and the bytes set free.
pub(crate) fn prune(
    app: &App,
    all: bool,
    filters: &Filters,
) -> Result<(Vec<String>, u64), CliError> {
    let wanted = prunable(app.store()?, filters, &app.asked())?;
    let filter = PruneFilter { all };
    let (report, freed) = app.home.images()?.prune(&filter, &wanted, &|| app.home.image_users())?;
    let lines = report
        .iter()
        .map(|line| match line {
            Removed::Untagged(name) => format!("untagged: {name}"),
            Removed::Deleted(id) => format!("deleted: {id}"),
        })
        .collect();
    Ok((lines, freed))
}
