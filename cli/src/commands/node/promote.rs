//! `node promote` and `node demote`: change the role of nodes.

use std::io::Write as _;

use coracle_swarm::model::{NodeSpec, Role};
use coracle_swarm::protocol::Request;
use coracle_view::node;

use crate::app::App;
use crate::args::Runnable;
use crate::error::{CommandResult, ExitStatus};

/// Make nodes managers
#[derive(Debug, clap::Args)]
pub(crate) struct NodePromoteArgs {
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

/// Make managers workers
#[derive(Debug, clap::Args)]
pub(crate) struct NodeDemoteArgs {
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for NodePromoteArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        change(app, &self.args, Role::Manager, |name| {
            format!("Node {name} promoted to a manager in the swarm.")
        })
    }
}

impl Runnable for NodeDemoteArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        change(app, &self.args, Role::Worker, |name| {
            format!("Manager {name} demoted in the swarm.")
        })
    }
}

/// The first that fails ends it, as in Docker's client.
fn change(
    app: &mut App,
    names: &[String],
    role: Role,
    done: impl Fn(&str) -> String,
) -> CommandResult {
    for name in names {
        let already = app.in_sequence(|app| {
            let swarm = app.manager()?;
            let this = app.this_node(&swarm.state)?;
            let node = node::find(&swarm.state, this, name)?;
            let (id, version) = (node.id.clone(), node.meta.version.index);
            if node.spec.role == role {
                return Ok(Some(id));
            }
            let spec = NodeSpec { role, ..node.spec.clone() };
            app.order(&Request::UpdateNode { id, version, spec })?;
            Ok(None)
        })?;
        match already {
            Some(id) => writeln!(app.ui.data(), "Node {id} is already a {role}.")?,
            None => writeln!(app.ui.data(), "{}", done(name))?,
        }
        app.ui.flush()?;
    }
    Ok(ExitStatus::Success)
}
