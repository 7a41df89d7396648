//! `compose up`: create and start everything.

use std::collections::BTreeSet;

use coracle_compose::apply::Settings;
use coracle_compose::plan::{Options, Plan, Recreate};
use coracle_compose::project::{Project, graph};

use crate::app::App;
use crate::args::{Runnable, values};
use crate::compose::doing::act;
use crate::compose::doing::act::{Images, act, at_once, make_plan};
use crate::compose::doing::attached::{self, Running, Watched};
use crate::compose::doing::changes::Changes;
use crate::compose::doing::front::{Foreground, Shown};
use crate::compose::doing::stale_volumes::ask_about_volumes;
use crate::compose::images::ensure;
use crate::compose::images::ensure::Wish;
use crate::compose::project::place;
use crate::compose::project::place::{File, error};
use crate::compose::project::scale::scale;
use crate::compose::screen::dry;
use crate::compose::screen::output::{Look, colour};
use crate::compose::screen::progress::Progress;
use crate::compose::verbs::watch::{self, Watching};
use crate::error::{CliError, CommandResult, ExitStatus};

/// Create and start containers
#[derive(Debug, Default, clap::Args)]
pub(crate) struct UpArgs {
    /// Stop all containers when any of them stops
    #[arg(long)]
    pub(crate) abort_on_container_exit: bool,
    /// Stop all containers when any of them fails
    #[arg(long)]
    pub(crate) abort_on_container_failure: bool,
    /// Recreate containers of dependencies too
    #[arg(long)]
    pub(crate) always_recreate_deps: bool,
    /// Show the output of these services only (repeatable)
    #[arg(long, value_name = "stringArray")]
    pub(crate) attach: Vec<String>,
    /// Show the output of dependencies too
    #[arg(long)]
    pub(crate) attach_dependencies: bool,
    /// Build images first
    #[arg(long)]
    pub(crate) build: bool,
    /// Leave the containers in the background
    #[arg(long, short = 'd')]
    pub(crate) detach: bool,
    /// End with the exit code of this service; implies --abort-on-container-exit
    #[arg(long, value_name = "string")]
    pub(crate) exit_code_from: Option<String>,
    /// Recreate containers even when nothing changed
    #[arg(long)]
    pub(crate) force_recreate: bool,
    /// Help on keys while attached (there are no such keys here) (not supported)
    #[arg(long)]
    pub(crate) menu: bool,
    /// Do not show the output of these services (repeatable)
    #[arg(long, value_name = "stringArray")]
    pub(crate) no_attach: Vec<String>,
    /// Never build an image
    #[arg(long)]
    pub(crate) no_build: bool,
    /// Plain text without colours
    #[arg(long)]
    pub(crate) no_color: bool,
    /// Leave dependencies alone
    #[arg(long)]
    pub(crate) no_deps: bool,
    /// Output without the names before it
    #[arg(long)]
    pub(crate) no_log_prefix: bool,
    /// Keep containers even when their configuration changed
    #[arg(long)]
    pub(crate) no_recreate: bool,
    /// Create only
    #[arg(long)]
    pub(crate) no_start: bool,
    /// Carry out this plan of `compose plan --format json`, or refuse when things have changed
    #[arg(long, value_name = "file")]
    pub(crate) plan: Option<String>,
    /// When images are fetched: always, missing, never, policy
    #[arg(long, value_name = "string")]
    pub(crate) pull: Option<String>,
    /// No output of builds
    #[arg(long)]
    pub(crate) quiet_build: bool,
    /// No progress of pulls
    #[arg(long)]
    pub(crate) quiet_pull: bool,
    /// Remove containers of services that are not in the file
    #[arg(long)]
    pub(crate) remove_orphans: bool,
    /// Fresh anonymous volumes instead of the data of former containers
    #[arg(long, short = 'V')]
    pub(crate) renew_anon_volumes: bool,
    /// SERVICE=NUMBER of containers (repeatable)
    #[arg(long, value_name = "stringArray")]
    pub(crate) scale: Vec<String>,
    /// Seconds between the stop signal and SIGKILL
    #[arg(long, short = 't', value_name = "int", value_parser = values::int)]
    pub(crate) timeout: Option<i64>,
    /// Show times
    #[arg(long)]
    pub(crate) timestamps: bool,
    /// Wait until services run, or are healthy; implies --detach
    #[arg(long)]
    pub(crate) wait: bool,
    /// Longest wait in seconds; 0 is no limit
    #[arg(long, value_name = "int", value_parser = values::int)]
    pub(crate) wait_timeout: Option<i64>,
    /// Follow changes of sources (see compose watch)
    #[arg(long, short = 'w')]
    pub(crate) watch: bool,
    /// Answer yes to every question
    #[arg(long, short = 'y')]
    pub(crate) yes: bool,
    /// Services whose images are built though they are there.
    #[arg(skip)]
    pub(crate) built: Vec<String>,
    /// More is built later.
    #[arg(skip)]
    pub(crate) keeps_builder: bool,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for UpArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        self.check(app)?;
        let file = place::file(app, &self.args)?;
        let project = self.chosen(&file)?;
        if let Some(name) = &self.exit_code_from
            && !project.services.contains_key(name)
        {
            return Err(CliError::plain(format!("no such service: {name}: not found")));
        }
        let mut options = self.options(app, &file)?;
        let images = ensure::ensure(app, &project, &self.wish())?;
        if !(self.keeps_builder || self.watch) {
            app.outside = None;
        }
        act::lock_project(app, &project.name)?;
        let plan = self.plan(app, &file, &project, &images, &mut options)?;
        if app.compose.dry_run {
            dry::plan(&plan, Progress::new(app));
            return Ok(ExitStatus::Success);
        }
        let background = self.detach || self.wait || self.no_start;
        if !background {
            let running = Running { file: &file, project: &project, images: &images, plan: &plan };
            return self.attached(app, &running);
        }
        let settings = self.settings(app);
        let mut progress = Progress::new(app);
        act(app, Some(&file), &project, &images, settings, &mut progress, |apply| {
            apply.run(&plan)?;
            if self.wait {
                apply.wait_healthy(&self.waited_for(&project))?;
            }
            Ok(())
        })?;
        Ok(ExitStatus::Success)
    }
}

impl UpArgs {
    fn check(&self, app: &App) -> Result<(), CliError> {
        let refuse = |text: &str| Err(CliError::plain(text));
        let attaches = self.abort_on_container_exit
            || self.abort_on_container_failure
            || !self.attach.is_empty()
            || self.attach_dependencies
            || self.watch;
        if self.detach && attaches {
            return refuse(
                "--detach cannot be combined with --abort-on-container-exit, \
                 --abort-on-container-failure, --attach, --attach-dependencies or --watch",
            );
        }
        if self.abort_on_container_failure && self.abort_on_container_exit {
            return refuse(
                "--abort-on-container-failure cannot be combined with --abort-on-container-exit",
            );
        }
        if self.wait && (attaches || self.exit_code_from.is_some()) {
            return refuse(
                "--wait cannot be combined with --abort-on-container-exit, --attach or \
                 --attach-dependencies",
            );
        }
        if self.wait_timeout.is_some_and(|seconds| seconds < 0) {
            return refuse("--wait-timeout must be a non-negative integer");
        }
        if self.force_recreate && self.no_recreate {
            return refuse("--force-recreate and --no-recreate are incompatible");
        }
        if self.always_recreate_deps && self.no_recreate {
            return refuse("--always-recreate-deps and --no-recreate are incompatible");
        }
        if self.no_build && self.watch {
            return refuse("--no-build and --watch are incompatible");
        }
        if self.build && self.no_build {
            return refuse("--build and --no-build are incompatible");
        }
        if self.renew_anon_volumes && self.no_recreate {
            return refuse("--no-recreate and --renew-anon-volumes are incompatible");
        }
        if self.menu && app.compose.progress.as_deref() != Some("quiet") {
            return Err(CliError::unsupported("--menu", "there are no keys to choose from"));
        }
        Ok(())
    }

    fn attached(&self, app: &mut App, running: &Running<'_>) -> CommandResult {
        let foreground = self.foreground(app);
        if !self.watch {
            return attached::run(app, &foreground, running, None);
        }
        let rules = watch::rules(app, running.file, &self.args)?;
        let skip = watch::skips(&rules);
        let watching = |room: usize| Watching {
            project: running.project.name.clone(),
            rules: &rules,
            prune: true,
            room: Some(room),
        };
        let watched = Watched {
            changes: Changes::new(&rules, &skip)?,
            begin: &|app, room| watching(room).begin(app),
            carry_out: &|app, room, work| watching(room).carry_out(app, work),
        };
        attached::run(app, &foreground, running, Some(watched))
    }

    fn chosen(&self, file: &File) -> Result<Project, CliError> {
        graph::select(&file.project, &self.args, !self.no_deps).map_err(error)
    }

    fn wish(&self) -> Wish {
        Wish {
            pull: self.pull.clone(),
            build: self.build,
            no_build: self.no_build,
            quiet: self.quiet_pull,
            quiet_build: self.quiet_build,
            built: self.built.clone(),
        }
    }

    fn options(&self, app: &App, file: &File) -> Result<Options, CliError> {
        let changed = if self.no_recreate { Recreate::Never } else { Recreate::Changed };
        let always = |yes: bool| if yes { Recreate::Always } else { changed };
        Ok(Options {
            recreate: always(self.force_recreate),
            recreate_dependencies: always(self.always_recreate_deps),
            targets: self.args.clone(),
            scale: scale(&self.scale, file)?,
            remove_orphans: self.remove_orphans || act::is_on(app, "COMPOSE_REMOVE_ORPHANS"),
            all_resources: app.compose.all_resources,
            start: !self.no_start,
            renew_volumes: self.renew_anon_volumes,
            replace_volumes: BTreeSet::new(),
        })
    }

    fn settings(&self, app: &App) -> Settings {
        Settings {
            grace_s: self.timeout,
            renew_volumes: self.renew_anon_volumes,
            at_once: at_once(app),
            wait_s: match self.wait {
                true => self.wait_timeout.and_then(|s| u64::try_from(s).ok()).unwrap_or(0),
                false => 0,
            },
        }
    }

    fn foreground(&self, app: &App) -> Foreground {
        Foreground {
            settings: self.settings(app),
            look: Look {
                colour: colour(app, self.no_color),
                no_prefix: self.no_log_prefix,
                timestamps: self.timestamps,
                one_stream: false,
            },
            shown: Shown {
                named: self.args.clone(),
                attach: self.attach.clone(),
                no_attach: self.no_attach.clone(),
                dependencies: self.attach_dependencies,
            },
            abort_on_exit: self.abort_on_container_exit
                || (self.exit_code_from.is_some() && !self.abort_on_container_failure),
            abort_on_failure: self.abort_on_container_failure,
            exit_code_from: self.exit_code_from.clone(),
        }
    }

    /// The services `--wait` is about.
    fn waited_for(&self, project: &Project) -> Vec<String> {
        match self.args.is_empty() {
            true => project.services.keys().cloned().collect(),
            false => self.args.clone(),
        }
    }

    fn plan(
        &self,
        app: &mut App,
        file: &File,
        project: &Project,
        images: &Images,
        options: &mut Options,
    ) -> Result<Plan, CliError> {
        let plan = make_plan(app, file, project, images, options)?;
        let plan = ask_about_volumes(app, file, project, images, options, plan, self.yes)?;
        let Some(path) = &self.plan else { return Ok(plan) };
        super::plan::check(path, &plan)?;
        Ok(plan)
    }
}
