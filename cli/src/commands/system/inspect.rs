//! `inspect`: show all about any object as JSON.

use coracle_view::container::document;
use coracle_view::{Found, find_any, network, volume};
use serde_json::Value;

use super::inspect_swarm;
use crate::app::App;
use crate::args::Runnable;
use crate::commands::{image, inspect_all};
use crate::error::{CliError, CommandResult};

/// Show all about any object as JSON
#[derive(Debug, clap::Args)]
pub(crate) struct InspectArgs {
    /// Layout: json, or a Go template for each object
    #[arg(long, short = 'f', value_name = "string")]
    pub(crate) format: Option<String>,
    /// Include SizeRw and SizeRootFs for containers
    #[arg(long, short = 's')]
    pub(crate) size: bool,
    /// Only objects of this kind (container, image, volume, service, task, ...)
    #[arg(long = "type", value_name = "string")]
    pub(crate) kind: Option<String>,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

/// Kinds Docker knows; of plugins there are none.
const KINDS: [&str; 10] = [
    "config",
    "container",
    "image",
    "network",
    "node",
    "plugin",
    "secret",
    "service",
    "task",
    "volume",
];

impl Runnable for InspectArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let kind = self.kind.as_deref().unwrap_or_default();
        if !kind.is_empty() && !KINDS.contains(&kind) {
            let list: Vec<String> = KINDS.iter().map(|kind| format!("{kind:?}")).collect();
            return Err(CliError::plain(format!(
                "unknown type: {kind:?}: must be one of {}",
                list.join(", ")
            )));
        }
        inspect_all(app, &self.args, self.format.as_deref(), |app, name, typed| {
            self.document(app, kind, name, typed)
        })
    }
}

impl InspectArgs {
    fn document(
        &self,
        app: &mut App,
        kind: &str,
        name: &str,
        typed: bool,
    ) -> Result<Value, CliError> {
        let api = app.settings.api;
        match kind {
            "container" => {
                let known = coracle_view::container::find(&app.home, name)?;
                Ok(document(&mut app.home, &known, self.size, api)?)
            }
            "image" => {
                image::inspect::document(app, &coracle_view::image::find(&app.home, name)?, typed)
            }
            "volume" => Ok(volume::document(&app.home, name, app.node)?),
            "network" => Ok(network::document(&app.home, name, app.settings.api)?),
            "service" | "task" | "node" | "secret" | "config" => {
                inspect_swarm::document(app, kind, name)
            }
            "" => self.any(app, name, typed),
            _ => Err(CliError::plain(format!("Error: No such {kind}: {name}"))),
        }
    }

    fn any(&self, app: &mut App, name: &str, typed: bool) -> Result<Value, CliError> {
        let api = app.settings.api;
        let found = match find_any(&app.home, name, app.node) {
            Ok(found) => found,
            Err(error) => {
                return match inspect_swarm::any(app, name) {
                    Some(document) => Ok(document),
                    None => Err(error.into()),
                };
            }
        };
        match found {
            Found::Container(known) => Ok(document(&mut app.home, &known, self.size, api)?),
            Found::Image(image) => image::inspect::document(app, &image, typed),
            Found::Network(found) => Ok(network::document(&app.home, &found.id, app.settings.api)?),
            Found::Volume => Ok(volume::document(&app.home, name, app.node)?),
        }
    }
}
