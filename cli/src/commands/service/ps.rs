//! `service ps`: list the tasks of services.

use coracle_view::task;

use crate::app::App;
use crate::args::Runnable;
use crate::args::values::{self, Filter};
use crate::commands::task::{Layout, print};
use crate::error::{CliError, CommandResult, ExitStatus};

/// List the tasks of services
#[derive(Debug, clap::Args)]
pub(crate) struct ServicePsArgs {
    /// Show only matches, key=value (desired-state, id, label, name, node)
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

impl Runnable for ServicePsArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let swarm = app.manager()?;
        let state = &swarm.state;
        let (services, missing) = task::of_services(state, &self.args)?;
        let mut filters = self.filter;
        filters.extend(
            services.iter().map(|one| Filter { key: "service".to_owned(), value: one.id.clone() }),
        );
        let tasks = task::list(state, app.this_node(state)?, &filters)?;
        let layout = Layout {
            format: self.format.as_deref(),
            quiet: self.quiet,
            no_trunc: self.no_trunc || self.quiet,
            no_resolve: self.no_resolve,
        };
        print(app, state, tasks, layout)?;
        match missing.is_empty() {
            true => Ok(ExitStatus::Success),
            false => Err(CliError::plain(missing.join("\n"))),
        }
    }
}
