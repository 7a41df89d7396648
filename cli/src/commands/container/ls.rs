//! `ps`: list containers.

use std::io::Write as _;

use super::rows::{PLAIN, WITH_SIZE, any_row, row, warn_of_large_logs};
use crate::app::App;
use crate::args::Runnable;
use crate::args::values::{self, Filter};
use crate::commands::{chosen_format, warn_ignored_format};
use crate::error::{CommandResult, ExitStatus};
use crate::format::Listing;
use coracle_view::container::{self, ContainerFilters, ContainerSummary, Known};
use coracle_view::image::ImageNames;

/// List containers
#[derive(Debug, clap::Args)]
pub(crate) struct PsArgs {
    /// Include containers that are not running
    #[arg(long, short = 'a')]
    pub(crate) all: bool,
    /// Show only matches, key=value (name, id, status, label, ancestor, volume, ...)
    #[arg(long, short = 'f', value_name = "filter", value_parser = values::filter)]
    pub(crate) filter: Vec<Filter>,
    /// Layout: table, 'table TEMPLATE', json, or a Go template for each line
    #[arg(long, value_name = "string")]
    pub(crate) format: Option<String>,
    /// Show the N newest containers whatever their state
    #[arg(long, short = 'n', value_name = "int", value_parser = values::int)]
    pub(crate) last: Option<i64>,
    /// Show the newest container whatever its state
    #[arg(long, short = 'l')]
    pub(crate) latest: bool,
    /// Do not shorten anything
    #[arg(long)]
    pub(crate) no_trunc: bool,
    /// Print only ids
    #[arg(long, short = 'q')]
    pub(crate) quiet: bool,
    /// Add the SIZE column
    #[arg(long, short = 's')]
    pub(crate) size: bool,
}

impl Runnable for PsArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let given = self.format.as_deref();
        let format = chosen_format(app, given, "psFormat");
        let format = format.as_deref();
        let columns = if self.size { &WITH_SIZE } else { &PLAIN };
        let listing = Listing::checked(columns, format, self.quiet, &any_row())?;
        let filters = ContainerFilters::new(&app.home, &self.filter)?;
        let last = match self.latest {
            true => 1,
            false => usize::try_from(self.last.unwrap_or(-1)).unwrap_or(0),
        };
        let all = self.all || last > 0 || filters.imply_all();
        let known = container::list(&app.home)?;
        let mut chosen: Vec<Known> = known
            .iter()
            .filter(|known| all || known.state.status.is_running())
            .filter(|known| filters.accept(known))
            .cloned()
            .collect();
        if last > 0 {
            chosen.truncate(last);
        }
        let names = ImageNames::read(&app.home)?;
        let now = app.asked();
        let mut rows = Vec::new();
        for one in &chosen {
            let size = if self.size { Some(container::size(&mut app.home, one)?) } else { None };
            let summary = ContainerSummary::new(one, &known, &names, size, &now);
            rows.push(row(&summary, self.no_trunc, now.time));
        }
        warn_ignored_format(app, given, self.quiet)?;
        let text = listing.render(&rows)?;
        write!(app.ui.data(), "{text}")?;
        if self.size {
            warn_of_large_logs(app, &chosen)?;
        }
        Ok(ExitStatus::Success)
    }
}
