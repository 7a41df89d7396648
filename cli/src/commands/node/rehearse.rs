//! `node add`, `stop`, `kill` and `start`: further nodes on this machine, made and lost for rehearsal. Ours alone.

use std::io::Write as _;

use coracle_swarm::command::NOT_A_MANAGER;
use coracle_swarm::model::{NodeSpec, Role};
use coracle_swarm::protocol::{Power, Request};
use coracle_view::node;

use crate::app::App;
use crate::args::Runnable;
use crate::commands::each;
use crate::error::{CliError, CommandResult, ExitStatus};

/// Add a rehearsal node on this machine to the swarm
#[derive(Debug, clap::Args)]
pub(crate) struct NodeAddArgs {
    /// Whether tasks come to it: active, pause or drain (default active)
    #[arg(long, value_name = "string")]
    pub(crate) availability: Option<String>,
    /// A label of the node, KEY or KEY=VALUE (can be repeated)
    #[arg(long, value_name = "list")]
    pub(crate) label: Vec<String>,
    /// worker or manager (default worker)
    #[arg(long, value_name = "string")]
    pub(crate) role: Option<String>,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for NodeAddArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        app.manager()?;
        let availability =
            self.availability.as_deref().map(super::super::swarm::init::availability);
        let role = match self.role.as_deref() {
            None | Some("worker") => Role::Worker,
            Some("manager") => Role::Manager,
            Some(other) => {
                return Err(CliError::plain(format!("invalid role {other:?}: worker or manager")));
            }
        };
        let spec = NodeSpec {
            role,
            availability: availability.transpose()?.unwrap_or_default(),
            labels: coracle_words::pairs(&self.label),
            ..NodeSpec::default()
        };
        let name = self.args.first().cloned().unwrap_or_default();
        let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if name.is_empty() || name.len() > 63 || !name.chars().all(is_name) {
            return Err(CliError::plain(format!(
                "invalid name of a node {name:?}: up to 63 letters, digits, dots, dashes and underscores"
            )));
        }
        let id = app.order(&Request::AddNode { name, spec })?;
        writeln!(app.ui.data(), "{id}")?;
        Ok(ExitStatus::Success)
    }
}

/// Switch rehearsal nodes off, as at a shutdown
#[derive(Debug, clap::Args)]
pub(crate) struct NodeStopArgs {
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

/// Lose rehearsal nodes, as when a machine dies
#[derive(Debug, clap::Args)]
pub(crate) struct NodeKillArgs {
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

/// Switch rehearsal nodes on again
#[derive(Debug, clap::Args)]
pub(crate) struct NodeStartArgs {
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for NodeStopArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        switch(app, &self.args, Power::Stop)
    }
}

impl Runnable for NodeKillArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        switch(app, &self.args, Power::Kill)
    }
}

impl Runnable for NodeStartArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        switch(app, &self.args, Power::Start)
    }
}

/// Whoever stands before a machine needs no quorum for its switch.
fn switch(app: &mut App, names: &[String], power: Power) -> CommandResult {
    each(app, names, |app, name| {
        let (_, swarm) = app.swarm_state()?;
        let any = || swarm.state.nodes.values().next();
        let Some(this) = node::itself(&swarm.state).or_else(any) else {
            return Err(app.of_engine(NOT_A_MANAGER));
        };
        let node = node::find(&swarm.state, this, name)?;
        if node.own.number == 0 {
            let why = format!(
                "{} is this machine itself; only rehearsal nodes are switched off",
                node::name_of(node)
            );
            return Err(CliError::plain(why));
        }
        app.order(&Request::NodePower { id: node.id.clone(), power })?;
        Ok(())
    })
}
