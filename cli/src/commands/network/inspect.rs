//! `network inspect`: show all about networks as JSON.

use coracle_view::{Api, network};

use crate::app::App;
use crate::args::Runnable;
use crate::commands::inspect_all;
use crate::error::CommandResult;

/// Show all about networks as JSON
#[derive(Debug, clap::Args)]
pub(crate) struct NetworkInspectArgs {
    /// Layout: json, or a Go template for each object
    #[arg(long, short = 'f', value_name = "string")]
    pub(crate) format: Option<String>,
    /// Include what swarm services have there; without a swarm there is nothing more
    #[arg(long, short = 'v')]
    pub(crate) verbose: bool,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for NetworkInspectArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        inspect_all(app, &self.args, self.format.as_deref(), |app, name, _| {
            Ok(network::document(&app.home, name, Api::V1_51)?)
        })
    }
}
