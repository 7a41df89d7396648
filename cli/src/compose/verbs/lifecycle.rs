//! `compose start`, `stop`, `restart`, `kill`, `pause` and `unpause`: containers that are there.

use std::collections::BTreeSet;

use coracle_compose::apply::{Apply, ApplyError, Kind, Settings, Teardown, seen};
use coracle_compose::plan::{Action, Seen, Step};
use coracle_compose::project::found::Wanted;
use coracle_compose::project::{Project, graph};
use coracle_runtime::engine::Summary;
use coracle_runtime::model::Status;

use crate::app::App;
use crate::args::{Runnable, values};
use crate::commands::signal_number;
use crate::compose::doing::act::{Images, act, at_once, lock_project, project_of};
use crate::compose::images::ensure;
use crate::compose::project::place;
use crate::compose::project::place::Place;
use crate::compose::screen::dry;
use crate::compose::screen::progress::Progress;
use crate::error::{CliError, CommandResult, ExitStatus};

/// Start services
#[derive(Debug, clap::Args)]
pub(crate) struct ComposeStartArgs {
    /// Wait until services run, or are healthy
    #[arg(long)]
    wait: bool,
    /// Longest wait in seconds; 0 is no limit
    #[arg(long, value_name = "int", value_parser = values::int)]
    wait_timeout: Option<i64>,
    #[arg(value_name = "ARG", hide = true)]
    args: Vec<String>,
}

/// Stop services
#[derive(Debug, clap::Args)]
pub(crate) struct ComposeStopArgs {
    /// Seconds between the stop signal and SIGKILL
    #[arg(long, short = 't', value_name = "int", value_parser = values::int)]
    timeout: Option<i64>,
    #[arg(value_name = "ARG", hide = true)]
    args: Vec<String>,
}

/// Restart services
#[derive(Debug, clap::Args)]
pub(crate) struct ComposeRestartArgs {
    /// Leave services that depend on these alone
    #[arg(long)]
    no_deps: bool,
    /// Seconds between the stop signal and SIGKILL
    #[arg(long, short = 't', value_name = "int", value_parser = values::int)]
    timeout: Option<i64>,
    #[arg(value_name = "ARG", hide = true)]
    args: Vec<String>,
}

/// Send a signal to services
#[derive(Debug, clap::Args)]
pub(crate) struct ComposeKillArgs {
    /// Remove containers of services that are not in the file
    #[arg(long)]
    remove_orphans: bool,
    /// Signal to send (default SIGKILL)
    #[arg(long, short = 's', value_name = "string")]
    signal: Option<String>,
    #[arg(value_name = "ARG", hide = true)]
    args: Vec<String>,
}

/// Pause services
#[derive(Debug, clap::Args)]
pub(crate) struct ComposePauseArgs {
    #[arg(value_name = "ARG", hide = true)]
    args: Vec<String>,
}

/// Unpause services
#[derive(Debug, clap::Args)]
pub(crate) struct ComposeUnpauseArgs {
    #[arg(value_name = "ARG", hide = true)]
    args: Vec<String>,
}

/// The containers of services, running or not.
fn of_services(
    app: &mut App,
    services: &[String],
    stopped: bool,
) -> Result<(Place, Vec<Summary>), CliError> {
    let place = place::project(app, services)?;
    let wanted = Wanted { services: services.to_vec(), stopped, ..Wanted::default() };
    let found = place::find_enabled(app, &place, &wanted)?;
    Ok((place, found))
}

/// Lets `work` act; with `--dry-run` only tells what would happen to each container.
fn act_on(
    app: &mut App,
    place: &Place,
    project: &Project,
    found: &[Seen],
    words: &[&str],
    settings: Settings,
    work: impl FnOnce(&mut Apply<'_>) -> Result<(), ApplyError>,
) -> CommandResult {
    let mut progress = Progress::new(app);
    if app.compose.dry_run {
        for seen in found {
            dry::tell(&mut progress, Kind::Container, &seen.name, words);
        }
        return Ok(ExitStatus::Success);
    }
    let file = place.file.as_deref();
    // Steps before a start run in images.
    let images = match project.services.values().all(|service| service.pre_start.is_empty()) {
        true => Images::new(),
        false => ensure::present(app, project)?,
    };
    act(app, file, project, &images, settings, &mut progress, work)?;
    Ok(ExitStatus::Success)
}

impl Runnable for ComposeStartArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let (place, _) = of_services(app, &self.args, true)?;
        let project = graph::select(&project_of(app, &place)?, &self.args, true);
        let project = project.map_err(place::error)?;
        let everything = place::find(app, &place, &Wanted { stopped: true, ..Wanted::default() })?;
        if everything.is_empty()
            && let Some(service) = project.services.values().find(|one| one.replicas() > 0)
        {
            let text = format!("service {:?} has no container to start", service.name);
            return Err(CliError::plain(text));
        }
        // What the services that were named depend on is started too.
        let found: Vec<Seen> = everything.iter().map(seen).collect();
        let meant = |seen: &Seen| project.services.contains_key(&seen.service);
        let found: Vec<Seen> = found.into_iter().filter(meant).collect();
        let steps: Vec<Step> = found
            .iter()
            .map(|seen| {
                let runs = matches!(seen.status, Status::Running | Status::Restarting);
                let action = if runs { Action::Keep } else { Action::Start };
                Step::new(action, &seen.name).service(&seen.service).id(&seen.id)
            })
            .collect();
        if let Some(paused) = found.iter().find(|seen| seen.status == Status::Paused) {
            let text =
                format!("{}: cannot start a paused container, try unpause instead", paused.name);
            return Err(CliError::engine(text));
        }
        let mut services: Vec<String> = found.iter().map(|seen| seen.service.clone()).collect();
        services.dedup();
        let longest = self.wait_timeout.filter(|_| self.wait);
        let wait_s = longest.and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or(0);
        let settings = Settings { at_once: at_once(app), wait_s, ..Settings::default() };
        act_on(app, &place, &project, &found, &["Starting", "Started"], settings, |apply| {
            apply.start(&steps)?;
            if self.wait {
                apply.wait_healthy(&services)?;
            }
            Ok(())
        })
    }
}

impl Runnable for ComposeStopArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let (place, found) = of_services(app, &self.args, true)?;
        let project = project_of(app, &place)?;
        let found: Vec<Seen> = found.iter().map(seen).collect();
        let settings = Settings { grace_s: self.timeout, ..Settings::default() };
        act_on(app, &place, &project, &found, &["Stopping", "Stopped"], settings, |apply| {
            apply.tear_down(&found, Teardown::Stop)
        })
    }
}

impl ComposeRestartArgs {
    /// As `restart SERVICE…`.
    pub(crate) fn of(services: Vec<String>) -> Self {
        Self { no_deps: false, timeout: None, args: services }
    }
}

impl Runnable for ComposeRestartArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        // The whole file: services that depend on those that are named are meant too.
        let place = place::project(app, &[])?;
        let wanted = Wanted { services: self.args.clone(), stopped: true, ..Wanted::default() };
        let found = place::find(app, &place, &wanted)?;
        place::expect(&place, &self.args, &found)?;
        let project = project_of(app, &place)?;
        // Until all have been started again: who follows them knows that it is not over.
        lock_project(app, &project.name)?;
        let all = place::find(app, &place, &Wanted { stopped: true, ..Wanted::default() })?;
        let all: Vec<Seen> = all.iter().map(seen).collect();
        let named = |seen: &Seen| self.args.contains(&seen.service);
        let meant = |seen: &&Seen| place.has(&seen.service) || named(seen);
        let everything: Vec<Seen> = all.iter().filter(meant).cloned().collect();
        let services: BTreeSet<String> = match self.args.is_empty() {
            true => everything.iter().map(|seen| seen.service.clone()).collect(),
            false => restarted_with(&everything, &self.args, self.no_deps),
        };
        let found: Vec<Seen> =
            everything.into_iter().filter(|seen| services.contains(&seen.service)).collect();
        let settings = Settings { grace_s: self.timeout, ..Settings::default() };
        act_on(app, &place, &project, &found, &["Restarting", "Started"], settings, |apply| {
            apply.restart(&found)
        })
    }
}

/// These services, and those that want to be restarted with one that is.
fn restarted_with(containers: &[Seen], named: &[String], alone: bool) -> BTreeSet<String> {
    let mut all: BTreeSet<String> = named.iter().cloned().collect();
    loop {
        let follows = |seen: &&Seen| {
            let with = seen.depends_on.iter().any(|on| on.restart && all.contains(&on.service));
            with && !all.contains(&seen.service)
        };
        match containers.iter().find(follows) {
            Some(seen) if !alone => all.insert(seen.service.clone()),
            _ => return all,
        };
    }
}

impl Runnable for ComposeKillArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let number = signal_number(self.signal.as_deref().unwrap_or("SIGKILL"))?;
        let place = place::project(app, &self.args)?;
        // Those of `run` too.
        let services = self.args.clone();
        let wanted = Wanted { services, one_off: true, ..Wanted::default() };
        let found = place::find_enabled(app, &place, &wanted)?;
        let project = project_of(app, &place)?;
        let orphans = match self.remove_orphans {
            true => orphans(app, &place)?,
            false => Vec::new(),
        };
        if found.is_empty() && orphans.is_empty() {
            use std::io::Write as _;
            writeln!(app.ui.status(), "No container to kill")?;
            return Ok(ExitStatus::Success);
        }
        let found: Vec<Seen> = found.iter().map(seen).collect();
        let words = &["Killing", "Killed"];
        act_on(app, &place, &project, &found, words, Settings::default(), |apply| {
            apply.tear_down(&orphans, Teardown::Remove { volumes: false })?;
            apply.kill(&found, number)
        })
    }
}

/// Containers of services that the file does not have, and those of `run` that have ended.
pub(crate) fn orphans(app: &App, place: &Place) -> Result<Vec<Seen>, CliError> {
    let Some(file) = &place.file else { return Ok(Vec::new()) };
    let wanted = Wanted { stopped: true, one_off: true, ..Wanted::default() };
    let all = place::find(app, place, &wanted)?;
    let known = |service: &str| place.has(service) || file.loaded.disabled.contains_key(service);
    Ok(all.iter().map(seen).filter(|seen| seen.is_orphan(known)).collect())
}

impl Runnable for ComposePauseArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        pause(app, &self.args, true)
    }
}

impl Runnable for ComposeUnpauseArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        pause(app, &self.args, false)
    }
}

fn pause(app: &mut App, services: &[String], on: bool) -> CommandResult {
    use coracle_compose::apply::Watcher as _;
    let (_, found) = of_services(app, services, false)?;
    let mut progress = Progress::new(app);
    let word = if on { "Paused" } else { "Unpaused" };
    for summary in found {
        let id = &summary.container.id;
        match app.compose.dry_run {
            true => app.engine()?.check_pause(id, on)?,
            false => app.engine()?.pause(id, on)?,
        }
        progress.tell(Kind::Container, &summary.container.name, word);
    }
    Ok(ExitStatus::Success)
}
