//! `compose run`: a container of a service for one command.
//!
//! It is one more container, apart from those of `up`: found by none of their numbers, with
//! no published ports and under no name of the service, unless asked for. What the service
//! depends on is started first.

use std::collections::BTreeMap;
use std::io::Write as _;

use coracle_compose::apply::{OneOff, Settings};
use coracle_compose::plan::{Options, Plan, Recreate};
use coracle_compose::project::{Project, Service, graph};
use coracle_runtime::engine::{CreateRequest, RemoveOptions};
use coracle_runtime::model::{Attach, Container, Empty};
use coracle_runtime::mounts;

use super::run_flags::Overrides;
use crate::app::App;
use crate::args::{Runnable, values};
use crate::commands::container::run::exit_status;
use crate::compose::doing::act;
use crate::compose::doing::act::{Images, act, at_once, make_plan};
use crate::compose::images::ensure;
use crate::compose::images::ensure::Wish;
use crate::compose::project::place;
use crate::compose::project::place::File;
use crate::compose::screen::progress::Progress;
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::run_flags;
use crate::streams::Conversation;
use crate::terminal;
use crate::ui::Ui;

/// Run a command in a container of a service that is made for it
#[derive(Debug, clap::Args)]
pub(crate) struct ComposeRunArgs {
    /// Build the image first
    #[arg(long)]
    build: bool,
    /// Grant a Linux capability (repeatable)
    #[arg(long, value_name = "list")]
    cap_add: Vec<String>,
    /// Take away a Linux capability (repeatable)
    #[arg(long, value_name = "list")]
    cap_drop: Vec<String>,
    /// Leave it in the background and print its id
    #[arg(long, short = 'd')]
    detach: bool,
    /// Entry point in place of that of the service or image
    #[arg(long, value_name = "string")]
    entrypoint: Option<String>,
    /// KEY=VALUE; bare KEY copies the value from here (repeatable)
    #[arg(long, short = 'e', value_name = "stringArray")]
    env: Vec<String>,
    /// File of KEY=VALUE lines; --env wins (repeatable)
    #[arg(long, value_name = "stringArray")]
    env_from_file: Vec<String>,
    /// Keep standard input open (default true)
    #[arg(
        long, short = 'i', num_args = 0..=1, require_equals = true,
        default_missing_value = "true", value_name = "bool", value_parser = values::switch
    )]
    interactive: Option<bool>,
    /// Label KEY=VALUE (repeatable)
    #[arg(long, short = 'l', value_name = "stringArray", alias = "labels")]
    label: Vec<String>,
    /// Name of the container
    #[arg(long, value_name = "string")]
    name: Option<String>,
    /// Start nothing that the service depends on
    #[arg(long)]
    no_deps: bool,
    /// Allocate no pseudo-terminal (default: when there is none here)
    #[arg(
        long, short = 'T', num_args = 0..=1, require_equals = true, alias = "no-TTY",
        default_missing_value = "true", value_name = "bool", value_parser = values::switch
    )]
    no_tty: Option<bool>,
    /// Publish a port: [IP:][HOST:]CONTAINER[/PROTO] (repeatable)
    #[arg(long, short = 'p', value_name = "stringArray")]
    publish: Vec<String>,
    /// When images are fetched: always, missing, never, policy
    #[arg(long, value_name = "string")]
    pull: Option<String>,
    /// No progress
    #[arg(long, short = 'q')]
    quiet: bool,
    /// No output of builds
    #[arg(long)]
    quiet_build: bool,
    /// No progress of pulls
    #[arg(long)]
    quiet_pull: bool,
    /// Remove containers of services that are not in the file
    #[arg(long)]
    remove_orphans: bool,
    /// Remove the container when it has ended
    #[arg(long)]
    rm: bool,
    /// Publish the ports of the service
    #[arg(long, short = 'P')]
    service_ports: bool,
    /// Allocate a pseudo-terminal
    #[arg(
        long, short = 't', num_args = 0..=1, require_equals = true, hide = true,
        default_missing_value = "true", value_name = "bool", value_parser = values::switch
    )]
    tty: Option<bool>,
    /// Be found on networks under the names of the service
    #[arg(long)]
    use_aliases: bool,
    /// NAME or UID with optional :GROUP or :GID
    #[arg(long, short = 'u', value_name = "string")]
    user: Option<String>,
    /// Mount [SOURCE:]TARGET[:OPTIONS] (repeatable)
    #[arg(long, short = 'v', value_name = "stringArray", alias = "volumes")]
    volume: Vec<String>,
    /// Working directory for the process
    #[arg(long, short = 'w', value_name = "string")]
    workdir: Option<String>,
    #[arg(value_name = "ARG", hide = true)]
    args: Vec<String>,
}

impl Runnable for ComposeRunArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        if !self.publish.is_empty() && self.service_ports {
            return Err(CliError::plain("--service-ports and --publish are incompatible"));
        }
        if app.compose.dry_run {
            let why = "what a command does in a container is not known before it is run";
            return Err(CliError::unsupported("--dry-run", why));
        }
        let tty = self.tty()?;
        if self.quiet {
            app.compose.progress = Some("quiet".to_owned());
        }
        let name = &self.args[0];
        let file = place::file(app, std::slice::from_ref(name))?;
        let one = std::slice::from_ref(name);
        let project = graph::select(&file.project, one, !self.no_deps).map_err(place::error)?;
        let service =
            self.overrides(app, &file, tty)?.apply(project.service(name).map_err(place::error)?)?;
        if tty && self.stdin() && !Ui::stdin_is_terminal() {
            return Err(CliError::plain(
                "cannot attach stdin to a TTY-enabled container because stdin is not a terminal",
            ));
        }
        let wish = self.wish();
        let images = ensure::ensure(app, &project, &wish)?;
        app.outside = None;
        self.dependencies(app, &file, &project, &images)?;
        let request = self.request(app, &file, &project, &images, &service)?;
        let container = app.engine()?.create(request)?;
        self.run(app, &file, &project, &service, &container)
    }
}

impl ComposeRunArgs {
    fn stdin(&self) -> bool {
        self.interactive.unwrap_or(true) && !self.detach
    }

    /// Whether the container gets a terminal: where there is one here, unless told otherwise.
    fn tty(&self) -> Result<bool, CliError> {
        match (self.tty, self.no_tty) {
            (Some(_), Some(_)) => Err(CliError::plain("--tty and --no-tty can't be used together")),
            (Some(tty), None) => Ok(tty),
            (None, Some(no_tty)) => Ok(!no_tty),
            (None, None) if self.interactive.is_none() && !Ui::stdin_is_terminal() => Ok(false),
            (None, None) => Ok(Ui::stdout_is_terminal()),
        }
    }

    fn wish(&self) -> Wish {
        let quiet = self.quiet_pull || self.quiet;
        let quiet_build = self.quiet_build || self.quiet;
        Wish { pull: self.pull.clone(), build: self.build, quiet, quiet_build, ..Wish::default() }
    }

    fn overrides(&self, app: &App, file: &File, tty: bool) -> Result<Overrides, CliError> {
        let mut variables = file.loaded.environment.clone();
        variables.extend(app.settings.environment.all.clone());
        let known = crate::settings::Environment { all: variables };
        let mut env = run_flags::environment(&self.env_from_file, &self.env, &known)?;
        // A name of which nothing is known leaves what the service says, as in Docker Compose.
        env.retain(|entry| entry.contains('='));
        Ok(Overrides {
            command: self.args[1..].to_vec(),
            entrypoint: self.entrypoint.clone(),
            env,
            labels: self.label.clone(),
            cap_add: self.cap_add.clone(),
            cap_drop: self.cap_drop.clone(),
            user: self.user.clone(),
            working_dir: self.workdir.clone(),
            tty,
            stdin_open: self.interactive.unwrap_or(true),
            ports: self.service_ports,
        })
    }

    /// Makes networks and volumes, starts what the service depends on, and waits until it is
    /// as the service wants it.
    fn dependencies(
        &self,
        app: &mut App,
        file: &File,
        project: &Project,
        images: &Images,
    ) -> Result<(), CliError> {
        let name = &self.args[0];
        let options = Options {
            recreate: Recreate::Changed,
            recreate_dependencies: Recreate::Changed,
            remove_orphans: self.remove_orphans || act::is_on(app, "COMPOSE_REMOVE_ORPHANS"),
            start: true,
            ..Options::default()
        };
        act::lock_project(app, &project.name)?;
        let mut plan: Plan = make_plan(app, file, project, images, &options)?;
        // The service itself is left as it is.
        plan.steps.retain(|step| step.service != *name);
        let settings = Settings { at_once: at_once(app), ..Settings::default() };
        let mut progress = Progress::new(app);
        act(app, Some(file), project, images, settings, &mut progress, |apply| {
            apply.run(&plan)?;
            if self.no_deps { Ok(()) } else { apply.wait_for_dependencies(name) }
        })
    }

    fn request(
        &self,
        app: &mut App,
        file: &File,
        project: &Project,
        images: &Images,
        service: &Service,
    ) -> Result<CreateRequest, CliError> {
        /// Digits of the slug that are part of the name.
        const SHORT: usize = 12;
        let slug = app.engine()?.random_id()?;
        let parts = [project.name.as_str(), &service.name, "run", &slug[..SHORT]];
        let generated = parts.join(project.separator());
        let one = OneOff {
            name: self.name.clone().unwrap_or(generated),
            slug,
            aliases: self.use_aliases,
        };
        let mut progress = Progress::new(app);
        let settings = Settings::default();
        let mut request =
            act(app, Some(file), project, images, settings, &mut progress, |apply| {
                apply.one_off(service, &one)
            })?;
        let published = run_flags::published(&self.publish)?;
        let exposed = published.keys().map(|port| (port.clone(), Empty {}));
        request.config.exposed_ports.extend(exposed);
        request.host_config.port_bindings.extend(published);
        self.mounts(project, &mut request)?;
        request.host_config.auto_remove = self.rm;
        let config = &mut request.config;
        config.attach_stdin = self.stdin();
        config.attach_stdout = !self.detach;
        config.attach_stderr = !self.detach;
        config.stdin_once = self.stdin();
        if let Some((columns, rows)) = terminal::size().filter(|_| config.tty) {
            request.host_config.console_size = [rows.into(), columns.into()];
        }
        Ok(request)
    }

    /// `-v`; the names of volumes are those of the file first.
    fn mounts(&self, project: &Project, request: &mut CreateRequest) -> Result<(), CliError> {
        let given = self.volume.iter().map(|text| match text.split_once(':') {
            Some((source, rest)) if project.volumes.contains_key(source) => {
                format!("{}:{rest}", project.volume_name(source))
            }
            _ => text.clone(),
        });
        let given: Vec<String> = given.collect();
        let here = std::env::current_dir()
            .map_err(|e| CliError::plain(format!("cannot tell the current folder: {e}")))?;
        let flags = mounts::volume_flags(&given, &here).map_err(run_flags::mount_error)?;
        if !flags.binds.is_empty() {
            request.host_config.binds.get_or_insert_default().extend(flags.binds);
        }
        if !flags.anonymous.is_empty() {
            request.config.volumes.get_or_insert_default().extend(flags.anonymous);
        }
        Ok(())
    }

    fn run(
        &self,
        app: &mut App,
        file: &File,
        project: &Project,
        service: &Service,
        container: &Container,
    ) -> CommandResult {
        let size = terminal::size().filter(|_| container.config.tty);
        let attached = !self.detach;
        let attach = Attach { stdin: self.stdin(), stdout: attached, stderr: attached, size };
        let (engine, session) = app.engine_in_session()?;
        let mut started = match engine.start(session, &container.id, attach) {
            Ok(started) => started,
            Err(error) => {
                if self.rm {
                    let options = RemoveOptions { force: true, volumes: true };
                    // Why it did not start matters more than what is left of it.
                    drop(engine.remove(session, &container.id, options));
                }
                return Err(CliError::from(error).status(ExitStatus::Failure));
            }
        };
        crate::compose::screen::board::settle();
        app.witness = None;
        app.warn(&started.warnings);
        if !service.post_start.is_empty() {
            let settings = Settings::default();
            let nothing = BTreeMap::new();
            let mut progress = Progress::new(app);
            act(app, Some(file), project, &nothing, settings, &mut progress, |apply| {
                apply.after_start(service, &container.id, &container.name)
            })?;
        }
        if self.detach {
            writeln!(app.ui.data(), "{}", container.id)?;
            return Ok(ExitStatus::Success);
        }
        crate::compose::screen::board::settle();
        let tty = container.config.tty;
        let detach_keys = app.detach_keys(None)?;
        let conversation = Conversation { stdin: attach.stdin, tty, sig_proxy: true, detach_keys };
        let ended = conversation.run(&mut started.connection)?;
        exit_status(app, &container.id, ended)
    }
}
