//! `builder du`: show what the cache of builds takes.

use std::io::Write as _;

use coracle_builder::exec::{Usage, usage};
use coracle_view::build_cache::{Sums, Wanted};

use super::rows::{COLUMNS, row, whole};
use crate::app::App;
use crate::args::Runnable;
use crate::args::values::{self, Filter};
use crate::commands::build::builders::OfBuilder;
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::format::{Listing, units};

/// Show what the cache of builds takes
#[derive(Debug, clap::Args)]
pub(crate) struct BuilderDuArgs {
    /// Show only matches, key=value (description, id, inuse, mutable, parent, private, shared, type, until)
    #[arg(long, value_name = "filter", value_parser = values::filter)]
    filter: Vec<Filter>,
    /// Layout: table, 'table TEMPLATE', json, or a Go template for each line
    #[arg(long, value_name = "string")]
    format: Option<String>,
    /// All that is known of each entry
    #[arg(long)]
    verbose: bool,
    #[command(flatten)]
    of_builder: OfBuilder,
    /// Nothing is waited for
    #[arg(long, value_name = "duration", hide = true)]
    timeout: Option<String>,
}

impl Runnable for BuilderDuArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        self.of_builder.check()?;
        let format = self.format.as_deref().filter(|format| !format.is_empty());
        if self.verbose && format.is_some() {
            return Err(CliError::plain("ERROR: --format and --verbose cannot be used together"));
        }
        let wanted = Wanted::new(&self.filter, &app.asked())?;
        let entries: Vec<Usage> = usage(&app.settings.data_root, &app.store()?.images()?)
            .into_iter()
            .filter(|entry| wanted.has(entry))
            .collect();
        let now = app.asked().time;
        if self.verbose {
            for entry in &entries {
                write!(app.ui.data(), "{}", whole(entry, now))?;
            }
        } else {
            let is_table = format.is_none_or(|format| format.starts_with("table"));
            let rows: Vec<_> = entries.iter().map(|entry| row(entry, now, is_table)).collect();
            let text = Listing::new(&COLUMNS, format, false)?.render(&rows)?;
            write!(app.ui.data(), "{text}")?;
        }
        if self.filter.is_empty() && format.is_none() {
            sums(app, Sums::of(&entries))?;
        }
        Ok(ExitStatus::Success)
    }
}

fn sums(app: &mut App, sums: Sums) -> std::io::Result<()> {
    let size = units::human_size;
    let out = app.ui.data();
    if sums.shared > 0 {
        writeln!(out, "Shared:\t\t{}", size(sums.shared))?;
        writeln!(out, "Private:\t{}", size(sums.total.saturating_sub(sums.shared)))?;
    }
    writeln!(out, "Reclaimable:\t{}", size(sums.reclaimable))?;
    writeln!(out, "Total:\t\t{}", size(sums.total))
}
