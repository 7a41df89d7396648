//! `rmi`: remove images.

use std::io::Write as _;

use coracle_image::ImageError;
use coracle_image::store::{RemoveOptions, Removed};

use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult, ExitStatus, Failures};
use coracle_view::image::stored_name;

/// Remove images
#[derive(Debug, clap::Args)]
pub(crate) struct RmiArgs {
    /// Remove even when tagged several times or used by stopped containers
    #[arg(long, short = 'f')]
    pub(crate) force: bool,
    /// Keep untagged parent images
    #[arg(long)]
    pub(crate) no_prune: bool,
    /// Drop only this variant (not supported)
    #[arg(long, value_name = "stringSlice", value_delimiter = ',')]
    pub(crate) platform: Vec<String>,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for RmiArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        if !self.platform.is_empty() {
            let why = "remove the image of that platform by its id";
            return Err(CliError::unsupported("--platform", why));
        }
        let options = RemoveOptions { force: self.force, no_prune: self.no_prune };
        let mut failures = Failures::default();
        let mut only_missing = true;
        for name in &self.args {
            if name.trim().is_empty() {
                failures.push(CliError::engine("image name cannot be blank"));
                only_missing = false;
                continue;
            }
            let wanted = stored_name(&app.home, name);
            let users = || app.home.image_users();
            match app.home.images()?.remove(&wanted, options, &users) {
                Ok(report) => print_removed(app, &report)?,
                Err(error) => {
                    only_missing &= matches!(error, ImageError::NoSuchImage { .. });
                    failures.push(error);
                }
            }
        }
        match failures.finish() {
            Err(error) if self.force && only_missing => {
                writeln!(app.ui.status(), "{error}")?;
                Ok(ExitStatus::Success)
            }
            result => result,
        }
    }
}

fn print_removed(app: &mut App, report: &[Removed]) -> Result<(), CliError> {
    for line in report {
        match line {
            Removed::Untagged(name) => writeln!(app.ui.data(), "Untagged: {name}")?,
            Removed::Deleted(id) => writeln!(app.ui.data(), "Deleted: {id}")?,
        }
    }
    Ok(())
}
