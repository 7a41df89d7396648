//! `save`: write images to a tar.

use coracle_runtime::images::Asked;

use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::files::Output;
use coracle_view::image::stored_name;

/// Write images to a tar
#[derive(Debug, clap::Args)]
pub(crate) struct SaveArgs {
    /// File to write instead of standard output
    #[arg(long, short = 'o', value_name = "string")]
    pub(crate) output: Option<String>,
    /// Platform variants to write (not supported)
    #[arg(long, value_name = "stringSlice", value_delimiter = ',')]
    pub(crate) platform: Vec<String>,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for SaveArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        if !self.platform.is_empty() {
            let why = "an archive has one platform of each image";
            return Err(CliError::unsupported("--platform", why));
        }
        for name in &self.args {
            crate::builtin::prepare(app, name)?;
        }
        let output = Output::create(self.output.as_deref(), "failed to save image")?;
        let asked =
            |given: &String| Asked { stored: stored_name(&app.home, given), given: given.clone() };
        let asked: Vec<Asked> = self.args.iter().map(asked).collect();
        let images = app.home.images()?;
        images.save(&asked, output, Output::finish)?;
        Ok(ExitStatus::Success)
    }
}
