//! `load`: read images from a tar.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;

use coracle_image::archive::{Input, LoadOptions, Loaded};
use coracle_image::{Platform, Progress};

use super::rows::notes;
use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::files::open;
use crate::ui::Ui;

/// Read images from a tar
#[derive(Debug, clap::Args)]
pub(crate) struct LoadArgs {
    /// Tar file to read instead of standard input
    #[arg(long, short = 'i', value_name = "string")]
    pub(crate) input: Option<String>,
    /// Platform variants to take from the archive
    #[arg(long, value_name = "stringSlice", value_delimiter = ',')]
    pub(crate) platform: Vec<String>,
    /// No load progress
    #[arg(long, short = 'q')]
    pub(crate) quiet: bool,
}

impl Runnable for LoadArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let options = LoadOptions { platforms: platforms(&self.platform)? };
        let path = self.input.as_deref().filter(|path| !path.is_empty());
        let mut stdin = std::io::stdin();
        let input = match path {
            Some(path) => source(path)?,
            None if Ui::stdin_is_terminal() => {
                return Err(CliError::plain("requested load from stdin, but stdin is empty"));
            }
            None => Input::Stream(&mut stdin),
        };
        let bars = crate::progress::Bytes::new(self.quiet || !Ui::stderr_is_terminal());
        let loaded = app.adding_images(|app| {
            let show = |layer: &str, progress: Progress| bars.show(layer, progress.tar_bytes);
            let images = app.home.images()?;
            images.load(input, &options, &show).map_err(CliError::from)
        });
        let loaded = loaded.map_err(|mut out: CliError| {
            // The client reads the archive itself, so it speaks for itself.
            out.message = out.message.replacen("Error response from daemon: ", "", 1);
            out
        })?;
        bars.finish();
        for image in &loaded {
            tell(app, image)?;
        }
        Ok(ExitStatus::Success)
    }
}

/// `--platform` of `save` and `load`.
pub(super) fn platforms(given: &[String]) -> Result<Vec<Platform>, CliError> {
    let invalid = |error| CliError::plain(format!("invalid platform: {error}"));
    given.iter().map(|one| one.parse().map_err(invalid)).collect()
}

/// A file is a stream or an archive; a folder is an unpacked one.
fn source<'a>(path: &str) -> Result<Input<'a>, CliError> {
    let file: File = open(path)?;
    let folder = file.metadata().is_ok_and(|meta| meta.is_dir());
    Ok(if folder { Input::Directory(PathBuf::from(path)) } else { Input::File(file) })
}

fn tell(app: &mut App, image: &Loaded) -> Result<(), CliError> {
    notes(app, &image.notes)?;
    for (name, owner) in &image.taken {
        let name = name.familiar();
        writeln!(
            app.ui.data(),
            "The image {name} already exists, renaming the old one with ID {owner} to empty string"
        )?;
    }
    if image.names.is_empty() {
        writeln!(app.ui.data(), "Loaded image ID: {}", image.id)?;
    }
    for name in &image.names {
        writeln!(app.ui.data(), "Loaded image: {}", name.familiar())?;
    }
    Ok(())
}
