//! `network inspect`: show all about networks as JSON.

use coracle_view::network;
use serde_json::Value;

use crate::app::App;
use crate::args::Runnable;
use crate::commands::inspect_all;
use crate::error::{CliError, CommandResult};

/// Show all about networks as JSON
#[derive(Debug, clap::Args)]
pub(crate) struct NetworkInspectArgs {
    /// Layout: json, or a Go template for each object
    #[arg(long, short = 'f', value_name = "string")]
    pub(crate) format: Option<String>,
    /// Include what swarm services have there
    #[arg(long, short = 'v')]
    pub(crate) verbose: bool,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for NetworkInspectArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        inspect_all(app, &self.args, self.format.as_deref(), |app, name, _| {
            let mut document = network::document(&app.home, name, app.settings.api)?;
            if self.verbose
                && let Some(document) = document.as_object_mut()
                && let Some(services) = services(app, name)?
            {
                document.insert("Services".to_owned(), services);
            }
            Ok(document)
        })
    }
}

fn services(app: &App, name: &str) -> Result<Option<Value>, CliError> {
    let found = network::find(&app.home, name)?;
    if !found.swarm {
        return Ok(None);
    }
    let (_, reader) = app.swarm_state()?;
    Ok(network::services(&app.home, &reader.state, &found)?)
}
