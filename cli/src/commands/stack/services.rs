//! `stack services`: list the services of a stack.

use std::io::Write as _;

use coracle_swarm::stack::{self, members};
use coracle_view::service;

use crate::app::App;
use crate::args::Runnable;
use crate::args::values::{self, Filter};
use crate::commands::service::ls::print;
use crate::error::{CommandResult, ExitStatus};

/// List the services in the stack
#[derive(Debug, clap::Args)]
pub(crate) struct StackServicesArgs {
    /// Show only matches, key=value (id, label, mode, name)
    #[arg(long, short = 'f', value_name = "filter", value_parser = values::filter)]
    filter: Vec<Filter>,
    /// Layout: table, 'table TEMPLATE', json, or a Go template for each line
    #[arg(long, value_name = "string")]
    format: Option<String>,
    /// Print only ids
    #[arg(long, short = 'q')]
    quiet: bool,
    #[arg(value_name = "ARG", hide = true)]
    args: Vec<String>,
}

impl Runnable for StackServicesArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let name = &self.args[0];
        stack::check_name(name)?;
        let swarm = app.manager()?;
        let mut services = service::list(&swarm.state, &self.filter)?;
        services.retain(|service| members::is_of(&service.spec.labels, name));
        if services.is_empty() {
            writeln!(app.ui.status(), "Nothing found in stack: {name}")?;
            return Ok(ExitStatus::Success);
        }
        print(app, &swarm.state, &services, self.format.as_deref(), self.quiet)
    }
}
