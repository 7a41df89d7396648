//! `service rollback`: back to the spec before.

use coracle_swarm::protocol::Request;
use coracle_view::service;

use super::update;
use crate::app::App;
use crate::args::Runnable;
use crate::error::CommandResult;

/// Bring a service back to what it was before
#[derive(Debug, clap::Args)]
pub(crate) struct ServiceRollbackArgs {
    /// Return without waiting for convergence
    #[arg(long, short = 'd')]
    pub(crate) detach: bool,
    /// No progress display
    #[arg(long, short = 'q')]
    pub(crate) quiet: bool,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for ServiceRollbackArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let swarm = app.manager()?;
        let name = self.args.first().cloned().unwrap_or_default();
        let found = service::find(&swarm.state, &name)?;
        app.order(&Request::UpdateService {
            id: found.id.clone(),
            version: found.meta.version.index,
            spec: Box::new(found.spec.clone()),
            rollback: true,
        })?;
        update::done(app, found, &name, self.detach, self.quiet)
    }
}
