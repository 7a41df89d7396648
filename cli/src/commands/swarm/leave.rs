//! `swarm leave`: take this node out of its swarm.

use std::io::Write as _;

use coracle_swarm::command::leave_refusal;
use coracle_swarm::model::Role;
use coracle_swarm::protocol::Request;

use coracle_view::node;

use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult, ExitStatus};

/// Leave the swarm; the swarm of this machine ends with its last manager
#[derive(Debug, clap::Args)]
pub(crate) struct SwarmLeaveArgs {
    /// Also as a manager, and with all that the swarm holds
    #[arg(long, short = 'f')]
    pub(crate) force: bool,
}

impl Runnable for SwarmLeaveArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let (swarm, reader) = app.swarm_state()?;
        let is_member = node::chosen(&reader.state, app.settings.node.as_deref())
            .is_some_and(|node| !node.own.left);
        if !reader.is_swarm() || !is_member {
            return Err(CliError::engine("This node is not part of a swarm"));
        }
        if swarm.is_locked(&reader.state) && !self.force {
            return Err(CliError::engine(
                "Swarm is encrypted and locked. Please unlock it first or use `--force` to ignore this message.",
            ));
        }
        let this = app.this_node(&reader.state)?;
        if this.spec.role == Role::Manager && !self.force {
            return Err(CliError::engine(leave_refusal(&reader.state)));
        }
        let request = match this.own.number {
            0 => Request::Leave { force: self.force },
            _ => Request::NodeLeaves { id: this.id.clone(), force: self.force },
        };
        app.order(&request)?;
        writeln!(app.ui.data(), "Node left the swarm.")?;
        Ok(ExitStatus::Success)
    }
}
