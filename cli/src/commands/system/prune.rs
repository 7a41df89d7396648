//! `system prune`: remove all that is unused.

use std::io::Write as _;

use crate::app::App;
use crate::args::Runnable;
use crate::args::values::Filter;
use crate::commands::build::cache;
use crate::commands::prune::{PruneFlags, section, with_keys};
use crate::commands::{container, image, network, volume};
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::format::units;
use coracle_view::build_cache::{Room, Wanted, shown_id};
use coracle_view::filter::Filters;

/// Remove all that is unused
#[derive(Debug, clap::Args)]
#[command(mut_args(with_keys("label, label!, until")))]
pub(crate) struct SystemPruneArgs {
    /// Drop every image no container uses, not only dangling ones
    #[arg(long, short = 'a')]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) common: PruneFlags,
    /// Also prune anonymous volumes
    #[arg(long)]
    pub(crate) volumes: bool,
}

impl Runnable for SystemPruneArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let given = self.common.filters(app);
        let filters = Filters::new(&given, &["label", "label!", "until"])?;
        if self.volumes && filters.has("until") {
            let text = "ERROR: The \"until\" filter is not supported with \"--volumes\"";
            return Err(CliError::plain(text));
        }
        if !self.common.force && !self.confirm(app, &given)? {
            return Ok(ExitStatus::Success);
        }
        let mut freed = 0;
        let (containers, bytes) = container::prune::prune(app, &filters)?;
        freed += bytes;
        section(app, "Deleted Containers:", &containers)?;
        let networks = network::prune::prune(app, &given)?;
        section(app, "Deleted Networks:", &networks)?;
        if self.volumes {
            let pruned = volume::prune::prune(app, false, &given)?;
            freed += pruned.bytes;
            section(app, "Deleted Volumes:", &pruned.names)?;
        }
        let (images, bytes) = image::prune::prune(app, self.all, &filters)?;
        freed += bytes;
        section(app, "Deleted Images:", &images)?;
        // It has no labels: who prunes by labels does not mean it.
        if !filters.has("label") && !filters.has("label!") {
            let wanted = Wanted::new(&given, &app.asked())?;
            let went = cache::prune(app, self.all, &wanted, Room::default())?;
            freed += went.freed;
            let ids: Vec<String> = went.entries.iter().map(shown_id).collect();
            section(app, "Deleted build cache objects:", &ids)?;
        }
        writeln!(app.ui.data(), "Total reclaimed space: {}", units::human_size(freed))?;
        Ok(ExitStatus::Success)
    }
}

impl SystemPruneArgs {
    fn confirm(&self, app: &mut App, filters: &[Filter]) -> std::io::Result<bool> {
        let out = app.ui.data();
        writeln!(out, "WARNING! This will remove:")?;
        writeln!(out, "  - all stopped containers")?;
        writeln!(out, "  - all networks not used by at least one container")?;
        if self.volumes {
            writeln!(out, "  - all anonymous volumes not used by at least one container")?;
        }
        match self.all {
            true => {
                writeln!(out, "  - all images without at least one container associated to them")?;
            }
            false => writeln!(out, "  - all dangling images")?,
        }
        writeln!(out, "  - all build cache")?;
        writeln!(out)?;
        if !filters.is_empty() {
            let mut lines: Vec<_> =
                filters.iter().map(|f| format!("{}={}", f.key, f.value)).collect();
            lines.sort();
            writeln!(out, "  Items to be pruned will be filtered with:")?;
            for line in lines {
                writeln!(out, "  - {line}")?;
            }
            writeln!(out)?;
        }
        app.ui.confirm("Are you sure you want to continue?")
    }
}
