//! `compose watch`: when files of the project change, containers follow.
//!
//! # How it works
//!
//! Changes are gathered until nothing has changed for half a second; then the rules of
//! `develop.watch` say what is to be done. Files are copied by [`crate::compose::doing::sync`].
//!
//! `rebuild` has the image built outside of the namespaces ([`crate::compose::outside`]), and the containers of the service
//! made anew; those of other services stay.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use clap::ArgAction;
use coracle_compose::project::found::Wanted;
use coracle_compose::project::labels;
use coracle_compose::watch::{Rule, Work, is_mounted};
use coracle_runtime::model::{Attach, ExecRequest};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::lifecycle::ComposeRestartArgs;
use super::up::UpArgs;
use crate::app::App;
use crate::args::Runnable;
use crate::commands::image::prune;
use crate::compose::doing::changes::Changes;
use crate::compose::doing::sync;
use crate::compose::images::ensure;
use crate::compose::images::ensure::Wish;
use crate::compose::project::place;
use crate::compose::project::place::File;
use crate::compose::project::target;
use crate::compose::screen::log;
use crate::error::{CliError, CommandResult, ExitStatus};
use coracle_view::filter::{Filter, Filters};

const SIGINT: i32 = 2;
const SIGTERM: i32 = 15;

/// Copy files into containers, or restart them, when files change
#[derive(Debug, clap::Args)]
pub(crate) struct ComposeWatchArgs {
    /// Do not start services first
    #[arg(long)]
    no_up: bool,
    /// Remove images that were built and are not used any more
    #[arg(long, default_value_t = true, action = ArgAction::Set)]
    prune: bool,
    /// No progress of pulls and builds
    #[arg(long)]
    quiet: bool,
    #[arg(value_name = "ARG", hide = true)]
    args: Vec<String>,
}

impl Runnable for ComposeWatchArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        if app.compose.dry_run {
            let why = "it waits for changes and does nothing before";
            return Err(CliError::unsupported("--dry-run", why));
        }
        let file = place::file(app, &self.args)?;
        let rules = rules(app, &file, &self.args)?;
        if !self.no_up {
            let up = UpArgs {
                detach: true,
                quiet_pull: self.quiet,
                quiet_build: self.quiet,
                built: built(&file),
                keeps_builder: true,
                args: self.args.clone(),
                ..UpArgs::default()
            };
            up.execute(app)?;
        }
        let skip = skips(&rules);
        let changes = Changes::new(&rules, &skip)?;
        let prune = self.prune;
        let watching = Watching { project: file.project.name, rules: &rules, prune, room: None };
        watching.until_the_end(app, changes)
    }
}

/// Folders that no rule is about.
pub(crate) fn skips(rules: &[Rule]) -> impl Fn(&Path) -> bool {
    move |folder: &Path| rules.iter().all(|rule| rule.leaves_out(folder))
}

/// What is to be watched of these services.
pub(crate) fn rules(app: &mut App, file: &File, named: &[String]) -> Result<Vec<Rule>, CliError> {
    let read = |path: &Path| std::fs::read_to_string(path).ok();
    let mut all = Vec::new();
    for (name, service) in &file.project.services {
        if !named.is_empty() && !named.contains(name) {
            continue;
        }
        let rules =
            Rule::of_service(service, &read).map_err(|error| CliError::plain(error.to_string()))?;
        for rule in rules {
            if rule.former_name {
                let text = "x-initialSync is DEPRECATED, please use the official `initial_sync` \
                            attribute";
                log::warning(app, text);
            }
            if rule.action.syncs() && is_mounted(service, &rule.path) {
                let path = rule.path.display();
                let text = format!(
                    "path '{path}' also declared by a bind mount volume, this path won't be \
                     monitored!"
                );
                log::warning(app, &text);
            } else {
                all.push(rule);
            }
        }
    }
    if all.is_empty() {
        let text = "none of the selected services is configured for watch, consider setting \
                    a 'develop' section";
        return Err(CliError::plain(text));
    }
    Ok(all)
}

/// Services that are built before they are watched.
fn built(file: &File) -> Vec<String> {
    let services = file.project.services.values();
    let built = services.filter(|one| one.build.is_some() && one.raw.get("develop").is_some());
    built.map(|service| service.name.clone()).collect()
}

/// What is watched for which project.
pub(crate) struct Watching<'a> {
    pub(crate) project: String,
    pub(crate) rules: &'a [Rule],
    /// What was built before and has no name any more is removed.
    pub(crate) prune: bool,
    /// The room that names of containers have beside which it speaks.
    pub(crate) room: Option<usize>,
}

impl Watching<'_> {
    fn until_the_end(&self, app: &mut App, mut changes: Changes<'_>) -> CommandResult {
        let signals = coracle_sys::signal::signal_fd(&[SIGINT, SIGTERM])
            .map_err(|error| CliError::plain(format!("cannot receive signals: {error}")))?;
        self.begin(app)?;
        loop {
            if wait(&signals, &changes)? {
                self.say(app, "Watch disabled")?;
                return Ok(ExitStatus::Container(130));
            }
            if changes.are_due()?
                && let Err(error) = self.carry_out(app, &changes.take())
            {
                log::warning(app, &format!("Error handling changed files: {error}"));
            }
        }
    }

    /// Copies what is there already, and says that it watches.
    pub(crate) fn begin(&self, app: &mut App) -> Result<(), CliError> {
        self.copy_at_first(app)?;
        self.say(app, "Watch enabled")
    }

    fn say(&self, app: &mut App, text: &str) -> Result<(), CliError> {
        let mark = self.room.map_or(String::new(), |room| format!("{:room$} ⦿ ", ""));
        writeln!(app.ui.data(), "{mark}{text}")?;
        Ok(app.ui.flush()?)
    }

    /// What is there already, for rules that ask for it.
    fn copy_at_first(&self, app: &mut App) -> Result<(), CliError> {
        for rule in self.rules.iter().filter(|rule| rule.initial_sync && rule.action.syncs()) {
            let mut pairs = BTreeSet::new();
            let mut next = vec![rule.path.clone()];
            while let Some(path) = next.pop() {
                if path.is_dir() && !path.is_symlink() {
                    let entries = std::fs::read_dir(&path).into_iter().flatten().flatten();
                    next.extend(
                        entries.map(|entry| entry.path()).filter(|path| !rule.leaves_out(path)),
                    );
                } else if rule.concerns(&path) {
                    let inside = rule.inside(&path);
                    pairs.insert((path, inside));
                }
            }
            sync::sync(app, &self.project, &rule.service, &pairs)?;
        }
        Ok(())
    }

    pub(crate) fn carry_out(&self, app: &mut App, work: &Work) -> Result<(), CliError> {
        if !work.rebuild.is_empty() {
            self.rebuild(app, &work.rebuild)?;
        }
        for (service, pairs) in &work.sync {
            let count = pairs.len();
            self.say(
                app,
                &format!("Syncing service {service:?} after {count} changes were detected"),
            )?;
            sync::sync(app, &self.project, service, pairs)?;
        }
        if !work.restart.is_empty() {
            let services: Vec<String> = work.restart.iter().cloned().collect();
            let shown: Vec<String> = services.iter().map(|name| format!("{name:?}")).collect();
            ComposeRestartArgs::of(services).execute(app)?;
            self.say(app, &format!("service(s) [{}] restarted", shown.join(" ")))?;
        }
        for number in &work.exec {
            self.exec(app, &self.rules[*number])?;
        }
        Ok(())
    }

    /// Has images built, and containers of these services made of them.
    fn rebuild(&self, app: &mut App, services: &BTreeSet<String>) -> Result<(), CliError> {
        let services: Vec<String> = services.iter().cloned().collect();
        let shown: Vec<String> = services.iter().map(|name| format!("{name:?}")).collect();
        let shown = shown.join(" ");
        self.say(app, &format!("Rebuilding service(s) [{shown}] after changes were detected..."))?;
        if let Err(error) = ensure::build(app, &services, &Wish::default()) {
            self.say(app, &format!("Build failed. Error: {}", error.message))?;
            return Err(error);
        }
        self.say(app, &format!("service(s) [{shown}] successfully built"))?;
        let up = UpArgs {
            detach: true,
            no_build: true,
            no_deps: true,
            force_recreate: true,
            keeps_builder: true,
            args: services,
            ..UpArgs::default()
        };
        up.execute(app)?;
        if self.prune {
            self.prune_images(app)?;
        }
        Ok(())
    }

    /// Removes images of the project that nothing has a name for, or is made of.
    fn prune_images(&self, app: &mut App) -> Result<(), CliError> {
        let value = format!("{}={}", labels::PROJECT, self.project);
        let filters = [Filter { key: "label".to_owned(), value }];
        let filters = Filters::new(&filters, &["label"])?;
        prune::prune(app, false, &filters)?;
        Ok(())
    }

    /// Runs the command of a rule in every container of its service.
    fn exec(&self, app: &mut App, rule: &Rule) -> Result<(), CliError> {
        let hook = &rule.exec;
        let pair = |(key, value): (&String, &Option<String>)| {
            value.as_ref().map(|value| format!("{key}={value}"))
        };
        let wanted = Wanted { services: vec![rule.service.clone()], ..Wanted::default() };
        for known in target::all(app, &self.project, &wanted)? {
            let request = ExecRequest {
                argv: hook.command.clone(),
                env: hook.environment.iter().filter_map(pair).collect(),
                user: hook.user.clone(),
                working_dir: hook.working_dir.clone(),
                privileged: hook.privileged,
                attach: Attach { stdin: false, stdout: true, stderr: true, size: None },
                ..ExecRequest::default()
            };
            let (engine, session) = app.engine_in_session()?;
            let outcome = engine.exec_to_end(session, &known.container.id, request)?;
            write!(app.ui.data(), "{}", outcome.output)?;
            app.ui.flush()?;
            if outcome.code != 0 {
                let name = &known.container.name;
                let text = format!("the command of sync+exec in {name} failed: {}", outcome.code);
                return Err(CliError::plain(text));
            }
        }
        Ok(())
    }
}

/// Waits for a change or a signal, which makes it true; not for longer than it has to be quiet, when something
/// has changed already.
fn wait(signals: &OwnedFd, changes: &Changes<'_>) -> Result<bool, CliError> {
    let timeout = changes.patience().and_then(|longest| Timespec::try_from(longest).ok());
    let files = PollFd::from_borrowed_fd(changes.fd(), PollFlags::IN);
    let mut fds = [PollFd::new(signals, PollFlags::IN), files];
    match poll(&mut fds, timeout.as_ref()) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(error) => return Err(CliError::plain(format!("cannot wait for changes: {error}"))),
    }
    let signalled = !fds[0].revents().is_empty();
    Ok(signalled && coracle_sys::signal::next_signal(signals.as_fd()).is_some())
}
