//! `image inspect`: show all about images as JSON.

use coracle_image::Image;
use serde_json::Value;

use crate::app::App;
use crate::args::Runnable;
use crate::commands::inspect_all;
use crate::error::{CliError, CommandResult};
use coracle_view::image::{find_for, typed_document};

/// Show all about images as JSON
#[derive(Debug, clap::Args)]
pub(crate) struct ImageInspectArgs {
    /// Layout: json, or a Go template for each object
    #[arg(long, short = 'f', value_name = "string")]
    pub(crate) format: Option<String>,
    /// Platform variant to show; error if absent
    #[arg(long, value_name = "string")]
    pub(crate) platform: Option<String>,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for ImageInspectArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        inspect_all(app, &self.args, self.format.as_deref(), |app, name, typed| {
            crate::builtin::prepare_outside(app, name)?;
            let image = find_for(&app.home, name, self.platform.as_deref())?;
            document(app, &image, typed)
        })
    }
}

/// What is printed of an image; `typed` is for a template.
pub(crate) fn document(app: &App, image: &Image, typed: bool) -> Result<Value, CliError> {
    Ok(match typed {
        true => typed_document(&app.home, image, app.settings.api)?,
        false => coracle_view::image::document(&app.home, image, app.settings.api)?,
    })
}
