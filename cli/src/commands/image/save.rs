//! `save`: write images to a tar.

use super::load::platforms;
use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::files::Output;
use coracle_image::{ImageError, Platform};
use coracle_view::ViewError;
use coracle_view::image::{find, stored_name, with_tag};

/// Write images to a tar
#[derive(Debug, clap::Args)]
pub(crate) struct SaveArgs {
    /// File to write instead of standard output
    #[arg(long, short = 'o', value_name = "string")]
    pub(crate) output: Option<String>,
    /// Platform variants to write, of which an image here has one
    #[arg(long, value_name = "stringSlice", value_delimiter = ',')]
    pub(crate) platform: Vec<String>,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for SaveArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let platforms = platforms(&self.platform)?;
        for name in &self.args {
            crate::builtin::prepare(app, name)?;
            check(app, name, &platforms)?;
        }
        let output = Output::create(self.output.as_deref(), "failed to save image")?;
        let stored: Vec<String> =
            self.args.iter().map(|given| stored_name(&app.home, given)).collect();
        let images = app.home.images()?;
        images.save(&stored, output, Output::finish)?;
        Ok(ExitStatus::Success)
    }
}

/// Refuses an image that is not there, or not for any of these platforms, before a file is made.
fn check(app: &App, name: &str, platforms: &[Platform]) -> Result<(), CliError> {
    let image = match find(&app.home, name) {
        Ok(image) => image,
        // Docker names what it looked for.
        Err(ViewError::Image(ImageError::NoSuchImage { .. })) => {
            let name = with_tag(&app.home, name)?;
            return Err(ViewError::Image(ImageError::NoSuchImage { name }).into());
        }
        Err(error) => return Err(error.into()),
    };
    let own = image.platform();
    if platforms.is_empty() || platforms.iter().any(|wanted| wanted.rank(&own).is_some()) {
        return Ok(());
    }
    let wanted: Vec<String> = platforms.iter().map(Platform::to_string).collect();
    Err(CliError::engine(format!(
        "no suitable export target found: image with reference {} was found but does not provide \
         the specified platform ({})",
        with_tag(&app.home, name)?,
        wanted.join(", ")
    )))
}
