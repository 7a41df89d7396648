//! `swarm join-token`: show or renew the token that nodes join with.

use std::io::Write as _;

use coracle_swarm::model::Role;
use coracle_swarm::protocol::{Request, Rotate};

use super::words;
use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult, ExitStatus};

/// Show or renew the token that nodes join with
#[derive(Debug, clap::Args)]
pub(crate) struct SwarmJoinTokenArgs {
    /// Print only the token
    #[arg(long, short = 'q')]
    pub(crate) quiet: bool,
    /// Make a new one; the old one is good for nothing any more
    #[arg(long)]
    pub(crate) rotate: bool,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for SwarmJoinTokenArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let role = match self.args.first().map_or("", String::as_str) {
            "worker" => Role::Worker,
            "manager" => Role::Manager,
            other => return Err(CliError::plain(format!("unknown role {other}"))),
        };
        let mut swarm = app.manager()?;
        if self.rotate {
            let cluster = &swarm.state.cluster;
            app.order(&Request::UpdateCluster {
                version: cluster.meta.version.index,
                spec: Box::new(cluster.spec.clone()),
                rotate: Rotate {
                    worker_token: role == Role::Worker,
                    manager_token: role == Role::Manager,
                    unlock_key: false,
                },
            })?;
            swarm = app.manager()?;
            if !self.quiet {
                writeln!(app.ui.data(), "Successfully rotated {role} join token.\n")?;
            }
        }
        let text = match self.quiet {
            true => format!("{}\n", words::token(&swarm.state, role)),
            false => words::join(app.program, &swarm.state, role, app.this_node(&swarm.state)?),
        };
        app.ui.data().write_all(text.as_bytes())?;
        Ok(ExitStatus::Success)
    }
}
