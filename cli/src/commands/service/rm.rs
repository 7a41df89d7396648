//! `service rm`: remove services.

use coracle_swarm::protocol::Request;
use coracle_view::service;

use crate::app::App;
use crate::args::Runnable;
use crate::commands::each;
use crate::error::CommandResult;

/// Remove services
#[derive(Debug, clap::Args)]
pub(crate) struct ServiceRmArgs {
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for ServiceRmArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let mut swarm = app.manager()?;
        each(app, &self.args, |app, name| {
            // The one before may have the same name.
            swarm.refresh().map_err(coracle_swarm::SwarmError::from)?;
            let id = service::find(&swarm.state, name)?.id.clone();
            app.order(&Request::RemoveService { id })?;
            Ok(())
        })
    }
}
