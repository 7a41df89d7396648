//! Prints tasks.

use std::io::Write as _;

use coracle_swarm::model::Task;
use coracle_swarm::state::State;
use coracle_view::task::summaries;

use super::rows::{COLUMNS, Shown, row};
use crate::app::App;
use crate::commands::chosen_format;
use crate::error::CliError;
use crate::format::Listing;

/// What the flags of a list of tasks ask for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout<'a> {
    pub(crate) format: Option<&'a str>,
    pub(crate) quiet: bool,
    pub(crate) no_trunc: bool,
    pub(crate) no_resolve: bool,
}

/// Prints tasks, those of a slot together.
pub(crate) fn print(
    app: &mut App,
    state: &State,
    tasks: Vec<&Task>,
    layout: Layout<'_>,
) -> Result<(), CliError> {
    let format = match layout.quiet {
        true => layout.format.map(str::to_owned),
        false => chosen_format(app, layout.format, "tasksFormat"),
    };
    let listing = Listing::new(&COLUMNS, format.as_deref(), layout.quiet)?;
    let is_table =
        !layout.quiet && format.as_deref().is_none_or(|format| format.starts_with("table"));
    let shown = Shown { full: layout.no_trunc, indent: is_table, now: app.now() };
    let rows: Vec<_> =
        summaries(state, tasks, !layout.no_resolve).iter().map(|one| row(one, shown)).collect();
    let text = listing.render(&rows)?;
    write!(app.ui.data(), "{text}")?;
    Ok(())
}
