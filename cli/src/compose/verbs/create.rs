//! `compose create`: create the containers of services without starting them.

use coracle_compose::apply::Settings;
use coracle_compose::plan::{Options, Recreate};

use crate::app::App;
use crate::args::Runnable;
use crate::compose::doing::act;
use crate::compose::doing::act::{act, at_once, lock_project, make_plan};
use crate::compose::doing::stale_volumes::ask_about_volumes;
use crate::compose::images::ensure;
use crate::compose::images::ensure::Wish;
use crate::compose::project::place;
use crate::compose::project::scale::scale;
use crate::compose::screen::dry;
use crate::compose::screen::progress::Progress;
use crate::error::{CliError, CommandResult, ExitStatus};

/// Create containers for services
#[derive(Debug, clap::Args)]
pub(crate) struct ComposeCreateArgs {
    /// Build images first
    #[arg(long)]
    build: bool,
    /// Recreate containers even when nothing changed
    #[arg(long)]
    force_recreate: bool,
    /// Never build an image
    #[arg(long)]
    no_build: bool,
    /// Keep containers even when their configuration changed
    #[arg(long)]
    no_recreate: bool,
    /// When images are fetched: always, missing, never, build, policy
    #[arg(long, value_name = "string")]
    pull: Option<String>,
    /// No progress of pulls
    #[arg(long)]
    quiet_pull: bool,
    /// Remove containers of services that are not in the file
    #[arg(long)]
    remove_orphans: bool,
    /// SERVICE=NUMBER of containers (repeatable)
    #[arg(long, value_name = "stringArray")]
    scale: Vec<String>,
    /// Answer yes to every question
    #[arg(long, short = 'y')]
    yes: bool,
    #[arg(value_name = "ARG", hide = true)]
    args: Vec<String>,
}

impl Runnable for ComposeCreateArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        if self.build && self.no_build {
            return Err(CliError::plain("--build and --no-build are incompatible"));
        }
        if self.force_recreate && self.no_recreate {
            let text = "--force-recreate and --no-recreate are incompatible";
            return Err(CliError::plain(text));
        }
        let file = place::file(app, &self.args)?;
        let recreate = match (self.force_recreate, self.no_recreate) {
            (true, _) => Recreate::Always,
            (_, true) => Recreate::Never,
            _ => Recreate::Changed,
        };
        let mut options = Options {
            recreate,
            recreate_dependencies: if self.no_recreate { recreate } else { Recreate::Changed },
            targets: self.args.clone(),
            scale: scale(&self.scale, &file)?,
            remove_orphans: self.remove_orphans || act::is_on(app, "COMPOSE_REMOVE_ORPHANS"),
            all_resources: app.compose.all_resources,
            ..Options::default()
        };
        let wish = Wish {
            pull: self.pull,
            build: self.build,
            no_build: self.no_build,
            quiet: self.quiet_pull,
            ..Wish::default()
        };
        let project = file.project.clone();
        let images = ensure::ensure(app, &project, &wish)?;
        app.outside = None;
        lock_project(app, &project.name)?;
        let plan = make_plan(app, &file, &project, &images, &options)?;
        let plan = ask_about_volumes(app, &file, &project, &images, &mut options, plan, self.yes)?;
        let mut progress = Progress::new(app);
        if app.compose.dry_run {
            dry::plan(&plan, progress);
            return Ok(ExitStatus::Success);
        }
        let settings = Settings { at_once: at_once(app), ..Settings::default() };
        act(app, Some(&file), &project, &images, settings, &mut progress, |apply| {
            apply.make(&plan)
        })?;
        Ok(ExitStatus::Success)
    }
}
