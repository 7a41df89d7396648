//! `volume ls`: list volumes.

use std::io::Write as _;

use coracle_runtime::volumes::Volume;
use coracle_view::volume;
use coracle_words::natural;

use super::rows::{COLUMNS, row};
use crate::app::App;
use crate::args::Runnable;
use crate::args::values::{self, Filter};
use crate::commands::{chosen_format, warn_ignored_format};
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::format::Listing;

/// List volumes
#[derive(Debug, clap::Args)]
pub(crate) struct VolumeLsArgs {
    /// List only CSI cluster volumes, with their own table layout (not supported)
    #[arg(long)]
    pub(crate) cluster: bool,
    /// Show only matches, key=value (dangling, driver, label, name)
    #[arg(long, short = 'f', value_name = "filter", value_parser = values::filter)]
    pub(crate) filter: Vec<Filter>,
    /// Layout: table, 'table TEMPLATE', json, or a Go template for each line
    #[arg(long, value_name = "string")]
    pub(crate) format: Option<String>,
    /// Print only names
    #[arg(long, short = 'q')]
    pub(crate) quiet: bool,
}

impl Runnable for VolumeLsArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        if self.cluster {
            return Err(CliError::unsupported("--cluster", "there are no cluster volumes"));
        }
        let format = self.format.as_deref();
        let volumes = volume::list(&app.home, &self.filter, app.node)?;
        print(app, volumes, format, self.quiet)
    }
}

/// Prints volumes by name.
pub(crate) fn print(
    app: &mut App,
    mut volumes: Vec<Volume>,
    given: Option<&str>,
    quiet: bool,
) -> CommandResult {
    let format = chosen_format(app, given, "volumesFormat");
    let listing = Listing::new(&COLUMNS, format.as_deref(), quiet)?;
    volumes.sort_by_key(|volume| natural(&volume.name));
    let rows: Vec<_> = volumes.iter().map(row).collect();
    warn_ignored_format(app, given, quiet)?;
    let text = listing.render(&rows)?;
    write!(app.ui.data(), "{text}")?;
    Ok(ExitStatus::Success)
}
