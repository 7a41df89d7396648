//! `network disconnect`: take a container out of a network.

use super::rows::container_of;
use crate::app::App;
use crate::args::Runnable;
use crate::error::{CommandResult, ExitStatus};

/// Disconnect a container from a network
#[derive(Debug, clap::Args)]
pub(crate) struct NetworkDisconnectArgs {
    /// Also when the container is in a bad state
    #[arg(long, short = 'f')]
    pub(crate) force: bool,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for NetworkDisconnectArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let container = container_of(app, &self.args[1])?;
        app.engine()?.disconnect_network(&self.args[0], &container, self.force)?;
        Ok(ExitStatus::Success)
    }
}
