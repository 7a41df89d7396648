//! `compose push`: upload the images that services build.

use coracle_compose::project::Service;
use coracle_compose::project::graph;
use serde_json::Value;

use crate::app::App;
use crate::args::Runnable;
use crate::commands::image::push;
use crate::compose::project::place;
use crate::compose::screen::progress::Progress;
use crate::error::{CliError, CommandResult, ExitStatus, Failures};

/// Upload the images of services that have a build section
#[derive(Debug, clap::Args)]
pub(crate) struct ComposePushArgs {
    /// Upload what can be uploaded, and fail for nothing
    #[arg(long)]
    ignore_push_failures: bool,
    /// Also for services that these depend on
    #[arg(long)]
    include_deps: bool,
    /// No progress
    #[arg(long, short = 'q')]
    quiet: bool,
    #[arg(value_name = "ARG", hide = true)]
    args: Vec<String>,
}

impl Runnable for ComposePushArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let whole = place::file(app, &self.args)?.project;
        let project = graph::select(&whole, &self.args, self.include_deps).map_err(place::error)?;
        let progress = Progress::new(app);
        let tell = |id: &str, text: &str, status: &str| {
            if !self.quiet {
                progress.line(id, text, status);
            }
        };
        let mut failures = Failures::default();
        for service in project.services.values() {
            let names = names(service);
            if names.is_empty() {
                tell(&service.name, "Skipped", "");
            }
            for name in names {
                tell(&name, "Pushing", "");
                match upload(app, &name) {
                    Ok(()) => tell(&name, "Pushed", ""),
                    Err(error) if self.ignore_push_failures => {
                        tell(&name, "Warning", &error.message);
                    }
                    Err(error) => {
                        tell(&name, "Error", &error.message);
                        failures.push(error);
                        return failures.finish();
                    }
                }
            }
        }
        Ok(ExitStatus::Success)
    }
}

/// What a service builds and names: its image, and what else its build is called.
fn names(service: &Service) -> Vec<String> {
    let (Some(build), Some(image)) = (&service.build, &service.image) else { return Vec::new() };
    let tags = build.get("tags").and_then(Value::as_array).into_iter().flatten();
    let tags = tags.filter_map(Value::as_str).map(str::to_owned);
    std::iter::once(image.clone()).chain(tags).collect()
}

fn upload(app: &mut App, name: &str) -> Result<(), CliError> {
    if app.compose.dry_run {
        return Ok(());
    }
    let resolved = app.home.names().resolve(name).map_err(|e| CliError::plain(e.to_string()))?;
    push::upload(app, &resolved.with_default_tag(), None, true).map(drop)
}
