//! `node promote` and `node demote`: change the role of nodes.

use std::io::Write as _;

use coracle_swarm::model::Role;
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
        let swarm = app.manager()?;
        let this = app.this_node(&swarm.state)?;
        let node = node::find(&swarm.state, this, name)?;
        if node.spec.role == role {
            writeln!(app.ui.data(), "Node {} is already a {role}.", node.id)?;
            continue;
        }
        let mut spec = node.spec.clone();
        spec.role = role;
        app.order(&Request::UpdateNode {
            id: node.id.clone(),
            version: node.meta.version.index,
            spec,
        })?;
        writeln!(app.ui.data(), "{}", done(name))?;
        app.ui.flush()?;
    }
    Ok(ExitStatus::Success)
}
