//! `builder prune`: empty the cache of builds.

use std::io::Write as _;

use coracle_builder::exec::{self, Pruned, Usage, usage};
use coracle_view::build_cache::{Room, Sums, Wanted};

use super::rows::{pruned, whole};
use crate::app::App;
use crate::args::Runnable;
use crate::args::values::{self, Filter};
use crate::commands::build::builders::OfBuilder;
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::filters::for_prune;
use crate::format::units;

/// Remove what builds have left in their cache
///
/// What steps made goes, and what cache mounts hold; images stay as they are. Without --all, what an image has too
/// stays: removing it frees nothing. With a size, what was used last stays.
#[derive(Debug, clap::Args)]
pub(crate) struct BuilderPruneArgs {
    /// Also what images have: the next build makes it anew
    #[arg(long, short = 'a')]
    all: bool,
    /// Remove only matches, key=value (description, id, inuse, mutable, parent, private, shared, type, until)
    #[arg(long, value_name = "filter", value_parser = values::filter)]
    filter: Vec<Filter>,
    /// Skip the confirmation question
    #[arg(long, short = 'f')]
    force: bool,
    /// Leave so much of the cache in any case
    #[arg(long, value_name = "bytes", value_parser = space, alias = "keep-storage")]
    reserved_space: Option<u64>,
    /// Leave at most so much of the cache
    #[arg(long, value_name = "bytes", value_parser = space)]
    max_used_space: Option<u64>,
    /// Remove until so much of the disk is free
    #[arg(long, value_name = "bytes", value_parser = space)]
    min_free_space: Option<u64>,
    /// All that is known of each entry
    #[arg(long)]
    verbose: bool,
    #[command(flatten)]
    of_builder: OfBuilder,
    /// Nothing is waited for
    #[arg(long, value_name = "duration", hide = true)]
    timeout: Option<String>,
}

fn space(text: &str) -> Result<u64, String> {
    let bytes = values::bytes(text).map_err(|why| why.to_string())?;
    u64::try_from(bytes).map_err(|_| format!("{text:?} is less than nothing"))
}

impl Runnable for BuilderPruneArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        self.of_builder.check()?;
        let wanted = Wanted::new(&for_prune(app, &self.filter), &app.asked())?;
        let what = if self.all { "all build cache" } else { "all dangling build cache" };
        let question =
            format!("WARNING! This will remove {what}. Are you sure you want to continue?");
        if !self.force && !app.ui.confirm(&question)? {
            return Ok(ExitStatus::Success);
        }
        let room = Room {
            reserved: self.reserved_space.unwrap_or_default(),
            used_max: self.max_used_space.unwrap_or_default(),
            free_min: self.min_free_space.unwrap_or_default(),
        };
        let went = prune(app, self.all, &wanted, room)?;
        let now = app.asked().time;
        let text = match self.verbose {
            true => went.entries.iter().map(|entry| whole(entry, now)).collect(),
            false => pruned(&went.entries, now),
        };
        writeln!(app.ui.data(), "{text}Total:\t{}", units::human_size(went.freed))?;
        Ok(ExitStatus::Success)
    }
}

/// Removes entries; the user's namespaces must have been entered.
pub(crate) fn prune(app: &App, all: bool, wanted: &Wanted, room: Room) -> Result<Pruned, CliError> {
    let data = &app.settings.data_root;
    let store = app.store()?;
    let images = store.images()?;
    let total = Sums::of(&usage(data, &images)).total;
    let keep_bytes = room.keeps(total, free_bytes(data));
    let goes = |entry: &Usage| (all || !entry.shared) && wanted.has(entry);
    let went = exec::prune(data, store, &images, &goes, keep_bytes);
    // Their layers are nobody's now.
    app.home.sweep_store();
    Ok(went)
}

/// Bytes that are free on the disk; a disk that does not say has room.
fn free_bytes(data: &std::path::Path) -> u64 {
    let answer = rustix::fs::statvfs(data);
    answer.map_or(u64::MAX, |disk| disk.f_bavail.saturating_mul(disk.f_frsize))
}
