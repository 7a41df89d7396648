//! `push`: upload an image to a registry.

use std::io::Write as _;

use clap::ArgAction;
use coracle_image::{Platform, PushOutcome, Reference, RegistryError, TransferError};

use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::progress::Progress;
use crate::registries;
use crate::ui::Ui;

/// As Docker says it.
const ONE_PLATFORM: &str = concat!(
    "\n Info -> Using --platform pushes only the specified platform manifest of a multi-platform image index.\n",
    "         Other components, like attestations, will not be included.\n",
    "         To push the complete multi-platform image, remove the --platform flag.\n",
    "         ",
);

/// Upload an image to a registry
#[derive(Debug, clap::Args)]
pub(crate) struct PushArgs {
    /// Push each local tag of the repository
    #[arg(long, short = 'a')]
    pub(crate) all_tags: bool,
    /// Push only this variant, as a single-platform image
    #[arg(long, value_name = "string")]
    pub(crate) platform: Option<String>,
    /// Only the final reference line
    #[arg(long, short = 'q')]
    pub(crate) quiet: bool,
    /// Ignored, no effect (deprecated)
    #[arg(long, hide = true, default_value_t = true, action = ArgAction::Set)]
    pub(crate) disable_content_trust: bool,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for PushArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let platform = coracle_view::image::platform(self.platform.as_deref())?;
        if platform.is_some() && !self.quiet {
            writeln!(app.ui.data(), "{ONE_PLATFORM}")?;
        }
        let name =
            app.home.names().resolve(&self.args[0]).map_err(|e| CliError::plain(e.to_string()))?;
        let names = match self.all_tags {
            true if !name.is_name_only() => {
                return Err(CliError::plain("tag can't be used with --all-tags/-a"));
            }
            true => tags_of(app, &name)?,
            false => {
                if name.is_name_only() && !self.quiet {
                    writeln!(app.ui.data(), "Using default tag: latest")?;
                }
                vec![name.clone().with_default_tag()]
            }
        };
        app.ui.flush()?;
        for name in &names {
            let outcome = upload(app, name, platform.as_ref(), self.quiet)?;
            if !self.quiet {
                writeln!(app.ui.data(), "{outcome}")?;
                app.ui.flush()?;
            }
        }
        if self.quiet {
            let shown = if self.all_tags { name.repository() } else { names[0].to_string() };
            writeln!(app.ui.data(), "{shown}")?;
        }
        Ok(ExitStatus::Success)
    }
}

/// Uploads one image; gives what there is to say about it. Starts threads.
pub(crate) fn upload(
    app: &App,
    name: &Reference,
    platform: Option<&Platform>,
    quiet: bool,
) -> Result<PushOutcome, CliError> {
    let settings = registries::settings(&app.settings);
    let progress = Progress::new(quiet, Ui::stdout_is_terminal());
    let images = app.home.images()?;
    let pushed = images.push(&settings, name, platform, &progress);
    pushed.map_err(|e| failure(&e, progress.began()))
}

/// Docker's client says itself that there is nobody to log in as, without the request.
fn failure(error: &TransferError, began: bool) -> CliError {
    let mut out = registries::failure(error, began);
    if let TransferError::Registry(RegistryError::NoCredentials { .. }) = error {
        "no basic auth credentials".clone_into(&mut out.message);
    }
    out
}

/// Every name with a tag that the repository has here.
fn tags_of(app: &App, repository: &Reference) -> Result<Vec<Reference>, CliError> {
    let wanted = repository.repository();
    let mut names: Vec<Reference> = app
        .store()?
        .images()?
        .into_iter()
        .flat_map(|image| image.names)
        .filter(|name| name.repository() == wanted)
        .collect();
    names.sort();
    if names.is_empty() {
        let shown = repository.familiar_repository();
        return Err(CliError::plain(format!(
            "An image does not exist locally with the tag: {shown}"
        )));
    }
    Ok(names)
}
