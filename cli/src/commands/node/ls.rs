//! `node ls`: list the nodes of the swarm.

use std::io::Write as _;

use coracle_view::node;

use super::rows::{COLUMNS, TABLE, row};
use crate::app::App;
use crate::args::Runnable;
use crate::args::values::{self, Filter};
use crate::commands::chosen_format;
use crate::error::{CommandResult, ExitStatus};
use crate::format::Listing;

/// List the nodes of the swarm
#[derive(Debug, clap::Args)]
pub(crate) struct NodeLsArgs {
    /// Show only matches, key=value (id, label, membership, name, node.label, role)
    #[arg(long, short = 'f', value_name = "filter", value_parser = values::filter)]
    pub(crate) filter: Vec<Filter>,
    /// Layout: table, 'table TEMPLATE', json, or a Go template for each line
    #[arg(long, value_name = "string")]
    pub(crate) format: Option<String>,
    /// Print only ids
    #[arg(long, short = 'q')]
    pub(crate) quiet: bool,
}

impl Runnable for NodeLsArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let swarm = app.manager()?;
        let nodes = node::list(&swarm.state, &self.filter)?;
        let this = &app.this_node(&swarm.state)?.id;
        let rows: Vec<_> = nodes.iter().map(|node| row(node, node.id == *this)).collect();
        let format = match self.quiet {
            true => self.format,
            false => chosen_format(app, self.format.as_deref(), "nodesFormat"),
        };
        let format = format.filter(|format| format != "table").unwrap_or_else(|| TABLE.to_owned());
        let text = Listing::new(&COLUMNS, Some(&format), self.quiet)?.render(&rows)?;
        write!(app.ui.data(), "{text}")?;
        Ok(ExitStatus::Success)
    }
}
