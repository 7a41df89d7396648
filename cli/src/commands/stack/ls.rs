//! `stack ls`: list stacks.

use std::io::Write as _;

use coracle_swarm::stack::members;
use coracle_words::natural;

use super::rows::{COLUMNS, row};
use crate::app::App;
use crate::args::Runnable;
use crate::error::{CommandResult, ExitStatus};
use crate::format::Listing;

/// List stacks
#[derive(Debug, clap::Args)]
pub(crate) struct StackLsArgs {
    /// Layout: table, 'table TEMPLATE', json, or a Go template for each line
    #[arg(long, value_name = "string")]
    format: Option<String>,
}

impl Runnable for StackLsArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let swarm = app.manager()?;
        let listing = Listing::new(&COLUMNS, self.format.as_deref(), false)?;
        let mut stacks: Vec<(String, usize)> = members::stacks(&swarm.state).into_iter().collect();
        stacks.sort_by_key(|(name, _)| natural(name));
        let rows: Vec<_> = stacks.iter().map(|(name, services)| row(name, *services)).collect();
        let text = listing.render(&rows)?;
        write!(app.ui.data(), "{text}")?;
        Ok(ExitStatus::Success)
    }
}
