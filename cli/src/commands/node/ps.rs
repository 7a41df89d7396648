//! `node ps`: list the tasks on nodes.

use coracle_view::{node, task};

use crate::app::App;
use crate::args::Runnable;
use crate::args::values::{self, Filter};
use crate::commands::task::{Layout, print};
use crate::error::{CommandResult, Failures};

/// List the tasks on nodes
#[derive(Debug, clap::Args)]
pub(crate) struct NodePsArgs {
    /// Show only matches, key=value (desired-state, id, label, name, node, service)
    #[arg(long, short = 'f', value_name = "filter", value_parser = values::filter)]
    pub(crate) filter: Vec<Filter>,
    /// Layout: table, 'table TEMPLATE', json, or a Go template for each line
    #[arg(long, value_name = "string")]
    pub(crate) format: Option<String>,
    /// Print ids instead of names
    #[arg(long)]
    pub(crate) no_resolve: bool,
    /// Cut nothing
    #[arg(long)]
    pub(crate) no_trunc: bool,
    /// Print only ids
    #[arg(long, short = 'q')]
    pub(crate) quiet: bool,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for NodePsArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let swarm = app.manager()?;
        let state = &swarm.state;
        let this = app.this_node(state)?;
        let own = ["self".to_owned()];
        let names = if self.args.is_empty() { &own[..] } else { &self.args };
        let mut failures = Failures::default();
        let mut tasks = Vec::new();
        let mut failed = false;
        for name in names {
            let of_node = node::find(state, this, name).and_then(|node| {
                let mut filters = self.filter.clone();
                filters.push(Filter { key: "node".to_owned(), value: node.id.clone() });
                task::list(state, this, &filters)
            });
            failed |= of_node.is_err();
            tasks.extend(failures.check(of_node).unwrap_or_default());
        }
        if !failed || !tasks.is_empty() {
            let layout = Layout {
                format: self.format.as_deref(),
                quiet: self.quiet,
                no_trunc: self.no_trunc,
                no_resolve: self.no_resolve,
            };
            print(app, state, tasks, layout)?;
        }
        failures.finish()
    }
}
