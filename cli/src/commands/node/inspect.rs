//! `node inspect`: show all about nodes.

use std::io::Write as _;

use coracle_view::node;

use super::pretty::pretty;
use crate::app::App;
use crate::args::Runnable;
use crate::commands::inspect_typed;
use crate::error::{CliError, CommandResult, Failures};
use crate::format::Missing;

/// What messages of templates call a node.
const TYPE: Missing = Missing::Type("swarm.Node");

/// Show all about nodes
#[derive(Debug, clap::Args)]
pub(crate) struct NodeInspectArgs {
    /// Layout: json, pretty, or a Go template for each object
    #[arg(long, short = 'f', value_name = "string")]
    pub(crate) format: Option<String>,
    /// Text for a person instead of JSON
    #[arg(long)]
    pub(crate) pretty: bool,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for NodeInspectArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let format = self.format.filter(|format| !format.is_empty());
        if self.pretty && format.is_some() {
            return Err(CliError::plain("--format is incompatible with human friendly format"));
        }
        if !self.pretty && format.as_deref() != Some("pretty") {
            return inspect_typed(app, &self.args, format.as_deref(), TYPE, |app, name, _| {
                let swarm = app.manager()?;
                let this = app.this_node(&swarm.state)?;
                Ok(node::document(node::find(&swarm.state, this, name)?)?)
            });
        }
        let mut failures = Failures::default();
        let mut text = String::new();
        for name in &self.args {
            let one = app.manager().and_then(|swarm| {
                let this = app.this_node(&swarm.state)?;
                Ok(pretty(node::find(&swarm.state, this, name)?))
            });
            text.push_str(&failures.check(one).unwrap_or_default());
        }
        app.ui.data().write_all(text.as_bytes())?;
        failures.finish()
    }
}
