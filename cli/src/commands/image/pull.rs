//! `pull`: fetch an image from a registry.

use std::io::Write as _;

use clap::ArgAction;
use coracle_image::{Platform, PullOptions, PullOutcome, Reference, TransferError};
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::progress::Progress;
use crate::registries;
use crate::ui::Ui;

/// Fetch an image from a registry
#[derive(Debug, clap::Args)]
pub(crate) struct PullArgs {
    /// Fetch each tag of the repository
    #[arg(long, short = 'a')]
    pub(crate) all_tags: bool,
    /// Fetch the image for every platform of its index
    #[arg(long)]
    pub(crate) all_platforms: bool,
    /// Platform variant to fetch
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

impl Runnable for PullArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let wanted = Wanted {
            name: self.args[0].clone(),
            platform: self.platform.filter(|platform| !platform.is_empty()),
            quiet: self.quiet,
            all_tags: self.all_tags,
            all_platforms: self.all_platforms,
            for_container: false,
            report: false,
        };
        let lines = pull(app, &wanted)?;
        for line in lines {
            writeln!(app.ui.data(), "{line}")?;
        }
        Ok(ExitStatus::Success)
    }
}

/// What to fetch.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Wanted {
    pub(crate) name: String,
    pub(crate) platform: Option<String>,
    pub(crate) quiet: bool,
    pub(crate) all_tags: bool,
    pub(crate) all_platforms: bool,
    /// `run` has said already what is missing.
    pub(crate) for_container: bool,
    /// A program reads how far it is, and nothing else.
    pub(crate) report: bool,
}

/// Fetches an image; gives the lines to end with. Starts threads.
pub(crate) fn pull(app: &mut App, wanted: &Wanted) -> Result<Vec<String>, CliError> {
    let candidates =
        app.home.names().candidates(&wanted.name).map_err(|e| CliError::plain(e.to_string()))?;
    if wanted.all_tags && candidates.iter().any(|name| !name.is_name_only()) {
        return Err(CliError::plain("tag can't be used with --all-tags/-a"));
    }
    let announces = !wanted.quiet && !wanted.all_tags && !wanted.for_container;
    if announces && candidates.iter().all(Reference::is_name_only) {
        writeln!(app.ui.data(), "Using default tag: latest")?;
        app.ui.flush()?;
    }
    let mut failed = None;
    for name in &candidates {
        match pull_one(app, name, wanted) {
            Ok(lines) => {
                // Not before: a pull that was killed is taken up where it ended.
                app.home.sweep_store();
                return Ok(lines);
            }
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    Err(failed.unwrap_or_else(|| CliError::plain("there is no registry to search")))
}

/// What can be done without a way to the registry.
fn offline(name: &Reference) -> String {
    format!(
        "the registry {} of the image {} cannot be reached from here: `--pull never` runs an image \
         that is here, `coracle load` takes one from a file",
        name.domain(),
        name.familiar()
    )
}

fn pull_one(app: &App, name: &Reference, wanted: &Wanted) -> Result<Vec<String>, CliError> {
    let platform: Option<Platform> = wanted
        .platform
        .as_deref()
        .map(str::parse)
        .transpose()
        .map_err(|e: coracle_image::PlatformError| CliError::engine(e))?;
    if let Some(lines) = crate::builtin::pull(app, name, platform.as_ref(), wanted.quiet)? {
        return Ok(lines);
    }
    let options = PullOptions { platform, all_platforms: wanted.all_platforms };
    let settings = registries::settings(&app.settings);
    let progress = match wanted.report {
        true => Progress::report(),
        false => Progress::new(wanted.quiet, Ui::stdout_is_terminal()),
    };
    let failure = |e: TransferError| {
        let failed = registries::failure(&e, progress.began());
        if e.is_unreachable() { failed.hint(offline(name)) } else { failed }
    };
    let mut lines = Vec::new();
    if wanted.all_tags {
        let outcomes =
            coracle_image::pull_all_tags(app.store()?, &settings, name, &options, &progress)
                .map_err(failure)?;
        lines.extend(outcomes.iter().map(PullOutcome::status));
        lines.extend(outcomes.into_iter().filter_map(|outcome| outcome.warning));
        lines.push(name.repository());
    } else {
        let images = app.home.images()?;
        let outcome = images.pull(&settings, name, &options, &progress).map_err(failure)?;
        lines.push(outcome.status());
        lines.extend(outcome.warning);
        lines.push(outcome.reference.to_string());
    }
    if wanted.quiet {
        lines.drain(..lines.len() - 1);
    }
    Ok(lines)
}
