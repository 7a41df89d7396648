//! `node rm`: take nodes off the list.

use coracle_swarm::protocol::Request;
use coracle_view::node;

use crate::app::App;
use crate::args::Runnable;
use crate::commands::each;
use crate::error::CommandResult;

/// Remove nodes from the swarm
#[derive(Debug, clap::Args)]
pub(crate) struct NodeRmArgs {
    /// Also one that is not down
    #[arg(long, short = 'f')]
    pub(crate) force: bool,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for NodeRmArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        each(app, &self.args, |app, name| {
            let swarm = app.manager()?;
            let this = app.this_node(&swarm.state)?;
            let id = node::find(&swarm.state, this, name)?.id.clone();
            app.order(&Request::RemoveNode { id, force: self.force })?;
            Ok(())
        })
    }
}
