//! `stack ps`: list the tasks of a stack.

use coracle_swarm::stack::{self, members};
use coracle_view::task;

use crate::app::App;
use crate::args::Runnable;
use crate::args::values::{self, Filter};
use crate::commands::task::{Layout, print};
use crate::error::{CliError, CommandResult, ExitStatus};

/// List the tasks in the stack
#[derive(Debug, clap::Args)]
pub(crate) struct StackPsArgs {
    /// Show only matches, key=value (desired-state, id, name, node)
    #[arg(long, short = 'f', value_name = "filter", value_parser = values::filter)]
    filter: Vec<Filter>,
    /// Layout: table, 'table TEMPLATE', json, or a Go template for each line
    #[arg(long, value_name = "string")]
    format: Option<String>,
    /// Print ids instead of names
    #[arg(long)]
    no_resolve: bool,
    /// Cut nothing
    #[arg(long)]
    no_trunc: bool,
    /// Print only ids
    #[arg(long, short = 'q')]
    quiet: bool,
    #[arg(value_name = "ARG", hide = true)]
    args: Vec<String>,
}

impl Runnable for StackPsArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let name = &self.args[0];
        stack::check_name(name)?;
        let swarm = app.manager()?;
        let state = &swarm.state;
        let mut tasks = task::list(state, app.this_node(state)?, &self.filter)?;
        tasks.retain(|task| match state.services.get(&task.service_id) {
            Some(service) => members::is_of(&service.spec.labels, name),
            None => members::is_of(&task.own.service_labels, name),
        });
        if tasks.is_empty() {
            return Err(CliError::plain(format!("nothing found in stack: {name}")));
        }
        let layout = Layout {
            format: self.format.as_deref(),
            quiet: self.quiet,
            no_trunc: self.no_trunc,
            no_resolve: self.no_resolve,
        };
        print(app, state, tasks, layout)?;
        Ok(ExitStatus::Success)
    }
}
