//! `compose pull`: fetch the images of services.

use clap::ArgAction;
use coracle_compose::project::graph;
use coracle_compose::project::{Project, Service};

use crate::app::App;
use crate::args::Runnable;
use crate::commands::container::create;
use crate::compose::images::fetch;
use crate::compose::images::fetch::{Job, Manner, Outcome};
use crate::compose::project::place;
use crate::compose::screen::board;
use crate::compose::screen::progress::Progress;
use crate::error::{CliError, CommandResult, ExitStatus, Failures};

/// Fetch the images of services
#[derive(Debug, clap::Args)]
pub(crate) struct ComposePullArgs {
    /// Leave services out that have a build section
    #[arg(long)]
    ignore_buildable: bool,
    /// Fetch what can be fetched, and fail for nothing
    #[arg(long)]
    ignore_pull_failures: bool,
    /// Also for services that these depend on
    #[arg(long)]
    include_deps: bool,
    /// Has no effect (deprecated)
    #[arg(long, hide = true, default_value_t = true, action = ArgAction::Set)]
    no_parallel: bool,
    /// Has no effect (deprecated)
    #[arg(long, hide = true, default_value_t = true, action = ArgAction::Set)]
    parallel: bool,
    /// When to fetch, whatever the file says: missing or always
    #[arg(long, value_name = "string")]
    policy: Option<String>,
    /// No progress
    #[arg(long, short = 'q')]
    quiet: bool,
    #[arg(value_name = "ARG", hide = true)]
    args: Vec<String>,
}

impl Runnable for ComposePullArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let whole = place::file(app, &self.args)?.project;
        let project = graph::select(&whole, &self.args, self.include_deps).map_err(place::error)?;
        let progress = Progress::new(app);
        let mut jobs: Vec<Job> = Vec::new();
        for service in project.services.values() {
            let Some(image) = self.wanted(app, progress, service)? else { continue };
            if jobs.iter().any(|job| job.image == image) {
                continue;
            }
            if app.compose.dry_run {
                for word in ["Pulling", "Pulled"].into_iter().filter(|_| !self.quiet) {
                    progress.line(&format!("Image {image}"), word, "");
                }
            }
            let (name, platform) = (service.name.clone(), service.platform.clone());
            jobs.push(Job { service: name, image, platform });
        }
        for service in project.services.values() {
            for image in project.step_images(service) {
                if jobs.iter().all(|job| job.image != image)
                    && self.wants_step(app, progress, service, image)?
                {
                    let (service, image) = (service.name.clone(), image.to_owned());
                    jobs.push(Job { service, image, platform: None });
                }
            }
        }
        let mut failures = Failures::default();
        let mut to_build = Vec::new();
        let begun =
            if app.compose.dry_run { Vec::new() } else { self.fetch(app, progress, &jobs)? };
        for (index, outcome) in begun {
            let job = &jobs[index];
            match outcome {
                Ok(()) => {}
                Err(_) if can_be_built(&project, &job.image) => to_build.push(job.service.clone()),
                Err(error) => failures.push(error),
            }
        }
        board::settle();
        if !to_build.is_empty() {
            let names = to_build.join(" ");
            crate::compose::screen::log::warn(&format!(
                "WARNING: Some service image(s) must be built from source by running:\n    \
                 docker compose build {names}"
            ));
        }
        if self.ignore_pull_failures {
            return Ok(ExitStatus::Success);
        }
        failures.finish()
    }
}

impl ComposePullArgs {
    fn skip(&self, progress: Progress, id: &str, why: &str) {
        if !self.quiet {
            progress.line(id, "Skipped", why);
        }
    }

    /// The image that is to be fetched for a service, unless it is left out.
    fn wanted(
        &self,
        app: &mut App,
        progress: Progress,
        service: &Service,
    ) -> Result<Option<String>, CliError> {
        let Some(image) = service.image.clone().filter(|image| !image.is_empty()) else {
            self.skip(progress, &service.name, "No image to be pulled");
            return Ok(None);
        };
        let skip = |why: &str| {
            self.skip(progress, &format!("Image {image}"), why);
            Ok(None)
        };
        if self.ignore_buildable && service.build.is_some() {
            return skip("Image can be built");
        }
        match self.policy(service) {
            "never" | "build" => skip(""),
            "missing" | "if_not_present" => {
                match has_settled(app, &image, service.platform.as_deref())? {
                    true => skip("Image is already present locally"),
                    false => Ok(Some(image)),
                }
            }
            // A time is a reason for `up` to leave an image as it is, not for us.
            _ => Ok(Some(image)),
        }
    }

    /// Whether the image of a `pre_start` step is to be fetched: as its service's, but it cannot
    /// be built.
    fn wants_step(
        &self,
        app: &mut App,
        progress: Progress,
        service: &Service,
        image: &str,
    ) -> Result<bool, CliError> {
        match self.policy(service) {
            "never" => Ok(false),
            "missing" | "if_not_present" | "build" => {
                let here = has_settled(app, image, None)?;
                if here {
                    self.skip(
                        progress,
                        &format!("Image {image}"),
                        "Image is already present locally",
                    );
                }
                Ok(!here)
            }
            _ => Ok(true),
        }
    }

    fn policy<'p>(&'p self, service: &'p Service) -> &'p str {
        let given = self.policy.as_deref().filter(|policy| !policy.is_empty());
        given.unwrap_or(&service.pull_policy)
    }

    /// What became of each image.
    fn fetch(
        &self,
        app: &mut App,
        progress: Progress,
        jobs: &[Job],
    ) -> Result<Vec<Outcome>, CliError> {
        let failed = if self.ignore_pull_failures { "Warning" } else { "Error" };
        let manner = Manner { progress, quiet: self.quiet, all_or_none: false, failed };
        fetch::fetch(app, jobs, manner)
    }
}

/// Whether an image is here under a name that does not move, as `latest` does.
fn has_settled(app: &mut App, image: &str, platform: Option<&str>) -> Result<bool, CliError> {
    crate::builtin::prepare(app, image)?;
    let moves = app.home.names().resolve(image).is_ok_and(|name| {
        name.digest().is_none() && name.with_default_tag().tag() == Some("latest")
    });
    Ok(!moves && create::local(app, image, platform)?.is_some())
}

/// Whether a service of the project builds this image.
fn can_be_built(project: &Project, image: &str) -> bool {
    project.services.values().any(|service| {
        service.build.is_some() && service.image.as_deref().is_some_and(|own| own == image)
    })
}
