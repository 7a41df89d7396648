//! The border with `coracle_compose::apply`: what it needs is put together, and what went
//! wrong becomes an error of the command line.

use std::collections::{BTreeMap, BTreeSet};

use coracle_compose::apply::{self, Apply, ApplyError, Inputs, Settings, Watcher};
use coracle_compose::container::{ContainerError, Defaults, honour, honour_networks};
use coracle_compose::plan::{Desired, Options, Plan, PlanError, plan};
use coracle_compose::project::Project;
use coracle_compose::project::found::{self, Wanted};
use coracle_runtime::engine::ImageFacts;
use coracle_runtime::model::LogConfig;

use crate::app::App;
use crate::compose::project::place::{self, File, Place};
use crate::compose::screen::log;
use crate::error::{CliError, ExitStatus};

/// Images by service.
pub(crate) type Images = BTreeMap<String, ImageFacts>;

/// Lets `work` act on the project.
pub(crate) fn act<T>(
    app: &mut App,
    file: Option<&File>,
    project: &Project,
    images: &Images,
    settings: Settings,
    watcher: &mut dyn Watcher,
    work: impl FnOnce(&mut Apply<'_>) -> Result<T, ApplyError>,
) -> Result<T, CliError> {
    let defaults = defaults(app);
    let profiles = profiles(project)?;
    let nothing = BTreeMap::new();
    app.ui.flush()?;
    let making = app.project_lock.take();
    let (engine, session) = app.engine_in_session()?;
    let environment = file.map_or(&nothing, |file| &file.loaded.environment);
    let inputs = Inputs { project, defaults, images, environment, profiles, settings };
    work(&mut Apply::new(engine, session, watcher, inputs, making)).map_err(failure)
}

/// The project of a place. Services that are meant without a file are as their containers have them.
pub(crate) fn project_of(app: &App, place: &Place) -> Result<Project, CliError> {
    let mut project = match &place.file {
        Some(file) => file.project.clone(),
        None => Project { name: place.name.clone(), ..Project::default() },
    };
    let all = place::find(app, place, &Wanted { stopped: true, ..Wanted::default() })?;
    for (name, service) in found::services(&all) {
        if place.has(&name) {
            project.services.entry(name).or_insert(service);
        }
    }
    Ok(project)
}

pub(crate) fn defaults(app: &App) -> Defaults {
    let file = &app.settings.file;
    let driver = file.log_driver.clone().unwrap_or_else(|| LogConfig::default().driver);
    Defaults {
        log: LogConfig { driver, config: file.log_opts.clone() },
        dns: file.dns.clone(),
        dns_options: file.dns_opts.clone(),
        dns_search: file.dns_search.clone(),
        init: file.init,
        environment: app.settings.proxies(),
    }
}

/// The seccomp profiles that services name.
fn profiles(project: &Project) -> Result<BTreeMap<String, String>, CliError> {
    let mut profiles = BTreeMap::new();
    for option in project.services.values().flat_map(|service| &service.security_opt) {
        let path = option.strip_prefix("seccomp=").or_else(|| option.strip_prefix("seccomp:"));
        let Some(path) = path.filter(|path| !matches!(*path, "" | "unconfined" | "builtin")) else {
            continue;
        };
        let full = std::path::Path::new(&project.source.working_dir).join(path);
        let text = crate::run_flags::profile(&full.to_string_lossy())?;
        profiles.insert(path.to_owned(), text);
    }
    Ok(profiles)
}

/// At most so many starts at once, as `--parallel` has it.
pub(crate) fn at_once(app: &App) -> usize {
    let environment = app.settings.environment.get("COMPOSE_PARALLEL_LIMIT");
    let given = app.compose.parallel.or_else(|| environment?.parse().ok());
    given.and_then(|number| usize::try_from(number).ok()).unwrap_or(0)
}

/// Whoever makes the project's containers comes first, from the look at what is there until
/// [`Apply::make`] is done: of ten `up` at once one makes them, and the others find them.
pub(crate) fn lock_project(app: &mut App, name: &str) -> Result<(), CliError> {
    if !app.compose.dry_run {
        app.project_lock = Some(app.engine()?.lock_project(name)?);
    }
    Ok(())
}

/// What is to be done, after everything that cannot be honoured has been told.
pub(crate) fn make_plan(
    app: &mut App,
    file: &File,
    project: &Project,
    images: &Images,
    options: &Options,
) -> Result<Plan, CliError> {
    honour_networks(project).map_err(|error| CliError::plain(error.to_string()))?;
    for service in project.services.values() {
        for warning in honour(service).map_err(|error| CliError::plain(error.to_string()))? {
            log::warning(app, &warning);
        }
    }
    let made = remake_plan(app, file, project, images, options)?;
    for warning in &made.warnings {
        if !(warning.starts_with("Found orphan") && ignores_orphans(app)) {
            log::warning(app, warning);
        }
    }
    Ok(made)
}

/// The same, when everything has been told.
pub(crate) fn remake_plan(
    app: &mut App,
    file: &File,
    project: &Project,
    images: &Images,
    options: &Options,
) -> Result<Plan, CliError> {
    let known: BTreeSet<String> =
        file.project.services.keys().chain(file.loaded.disabled.keys()).cloned().collect();
    let ids = |images: &Images| -> BTreeMap<String, String> {
        images.iter().map(|(name, facts)| (name.clone(), facts.id.clone())).collect()
    };
    let mounted = images.values().flat_map(|image| ids(&image.mounted)).collect();
    let images = ids(images);
    let observed = apply::look(app.engine()?, &project.name)?;
    let desired = Desired { project, images: &images, mounted: &mounted, known: &known };
    plan(&desired, &observed, options)
        .map_err(|error: PlanError| CliError::plain(error.to_string()))
}

fn ignores_orphans(app: &App) -> bool {
    is_on(app, "COMPOSE_IGNORE_ORPHANS")
}

/// Whether a variable says yes.
pub(crate) fn is_on(app: &App, variable: &str) -> bool {
    app.settings.environment.get(variable).is_some_and(says_yes)
}

/// As Compose reads it, however it is written.
fn says_yes(text: &str) -> bool {
    matches!(text.trim().to_ascii_lowercase().as_str(), "1" | "true" | "t" | "y")
}

/// As Compose tells it: always exit code 1.
pub(crate) fn failure(error: ApplyError) -> CliError {
    let error = match error {
        ApplyError::Engine(error) => CliError::from(error),
        ApplyError::NoImage { .. } => CliError::engine(error),
        ApplyError::Interrupted => CliError::plain("canceled").status(ExitStatus::Container(130)),
        ApplyError::Dependency { message, detail } => {
            let mut error = CliError::plain(message);
            error.causes.extend(detail);
            error
        }
        ApplyError::Container(error @ ContainerError::Unsupported { .. }) => {
            CliError::plain(error.to_string())
        }
        other => CliError::plain(other.to_string()),
    };
    match error.status {
        ExitStatus::Container(_) => error,
        _ => error.status(ExitStatus::Failure),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn yes_in_capital_letters() {
        assert!(["True", "TRUE", " y ", "t", "1"].into_iter().all(super::says_yes));
        assert!(!["yes", "on", "0", "false", ""].into_iter().any(super::says_yes));
    }
}
