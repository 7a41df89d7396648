//! `import`: make an image from a tar of a filesystem, in a file, a stream or at a URL.

use std::io::{Read, Write as _};

use coracle_image::archive::ImportOptions;
use coracle_image::{Download, Progress};

use super::rows::notes;
use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::files::open;
use crate::registries;
use crate::ui::Ui;

/// Make an image from a tar of a filesystem
#[derive(Debug, clap::Args)]
pub(crate) struct ImportArgs {
    /// Dockerfile instruction to apply to the resulting image config
    #[arg(long, short = 'c', value_name = "list")]
    pub(crate) change: Vec<String>,
    /// Message stored in the image history
    #[arg(long, short = 'm', value_name = "string")]
    pub(crate) message: Option<String>,
    /// Platform recorded in the image
    #[arg(long, value_name = "string")]
    pub(crate) platform: Option<String>,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for ImportArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let source = self.args[0].as_str();
        let mut names = Vec::new();
        if let Some(name) = self.args.get(1).filter(|name| !name.is_empty()) {
            let name =
                app.home.names().resolve(name).map_err(|e| CliError::plain(e.to_string()))?;
            names.push(name.with_default_tag());
        }
        let platform = self.platform.as_deref().filter(|platform| !platform.is_empty());
        let options = ImportOptions {
            names,
            message: self.message.filter(|message| !message.is_empty()),
            changes: self.change,
            platform: platform.map(str::parse).transpose().map_err(CliError::engine)?,
        };
        let mut reader: Box<dyn Read> = if source == "-" {
            Box::new(std::io::stdin())
        } else if source.starts_with("http://") || source.starts_with("https://") {
            let download = Download::open(&registries::settings(&app.settings), source)
                .map_err(|error| CliError::library(&error, error.hint()))?;
            writeln!(app.ui.data(), "Downloading from {}", download.url())?;
            app.ui.flush()?;
            Box::new(download)
        } else {
            Box::new(open(source)?)
        };
        let bars = crate::progress::Bytes::new(!Ui::stderr_is_terminal());
        let imported = app.adding_images(|app| {
            let show = |progress: Progress| bars.show("import", progress.tar_bytes);
            let images = app.home.images()?;
            images.import(&mut reader, &options, &show).map_err(CliError::from)
        })?;
        bars.finish();
        notes(app, &imported.notes)?;
        writeln!(app.ui.data(), "{}", imported.id)?;
        Ok(ExitStatus::Success)
    }
}
