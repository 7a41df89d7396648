//! `inspect`: show all about any object as JSON.

use coracle_image::ImageError;
use coracle_runtime::networks::NetworkError;
use coracle_runtime::volumes::VolumeError;
use coracle_view::Object;
use coracle_view::container::document;
use serde_json::Value;

use crate::app::App;
use crate::args::Runnable;
use crate::commands::{image, network, volume};
use crate::documents;
use crate::error::{CliError, CommandResult, Failures};

/// Show all about any object as JSON
#[derive(Debug, clap::Args)]
pub(crate) struct InspectArgs {
    /// Layout: json, or a Go template for each object
    #[arg(long, short = 'f', value_name = "string")]
    pub(crate) format: Option<String>,
    /// Include SizeRw and SizeRootFs for containers
    #[arg(long, short = 's')]
    pub(crate) size: bool,
    /// Only objects of this kind (container, image, volume)
    #[arg(long = "type", value_name = "string")]
    pub(crate) kind: Option<String>,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

/// Kinds Docker knows; the ones without objects here find nothing.
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
        let template = documents::template(self.format.as_deref())?;
        let mut failures = Failures::default();
        let mut found = Vec::new();
        for name in &self.args {
            found.extend(failures.check(self.document(app, kind, name)));
        }
        documents::print(&mut app.ui, template.as_ref(), &found, failures)
    }
}

impl InspectArgs {
    fn document(&self, app: &mut App, kind: &str, name: &str) -> Result<Value, CliError> {
        match kind {
            "container" => {
                let known = coracle_view::container::find(&app.home, name)?;
                Ok(document(&mut app.home, &known, self.size)?)
            }
            "image" => image::inspect::document(
                app,
                &coracle_view::image::find(&app.home, name)?,
                self.is_typed(),
            ),
            "volume" => volume::inspect::document(app, name),
            "network" => network::inspect::document(app, name),
            "" => self.any(app, name),
            _ => Err(CliError::plain(format!("Error: No such {kind}: {name}"))),
        }
    }

    fn is_typed(&self) -> bool {
        self.format.as_ref().is_some_and(|format| !format.is_empty())
    }

    /// Containers come before images, then networks, then volumes.
    fn any(&self, app: &mut App, name: &str) -> Result<Value, CliError> {
        match coracle_view::container::find(&app.home, name) {
            Ok(known) => return Ok(document(&mut app.home, &known, self.size)?),
            // It is there and cannot be read.
            Err(error) if app.engine()?.records.find(name).is_ok() => return Err(error.into()),
            Err(_) => {}
        }
        let unreadable_index =
            match app.store()?.find(&coracle_view::image::stored_name(&app.home, name)) {
                Ok(image) => return image::inspect::document(app, &image, self.is_typed()),
                Err(error) => Some(error).filter(ImageError::is_index_unreadable),
            };
        match network::inspect::document(app, name) {
            Ok(document) => return Ok(document),
            Err(error) => {
                if let Err(NetworkError::Damaged { .. }) = app.engine()?.networks.find(name) {
                    return Err(error);
                }
            }
        }
        volume::inspect::document(app, name).map_err(|error| match app.engine() {
            Ok(engine) if matches!(engine.volumes.get(name), Err(VolumeError::Damaged { .. })) => {
                error
            }
            _ => match unreadable_index {
                // It may be an image.
                Some(error) => error.into(),
                None => {
                    let mut error = CliError::plain(format!("Error: No such object: {name}"));
                    error.missing = Some(Box::new((Object::Any, name.to_owned())));
                    error
                }
            },
        })
    }
}
