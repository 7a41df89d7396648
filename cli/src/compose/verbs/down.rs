//! `compose down`: stop and remove containers, networks, and more when asked.

use coracle_compose::apply::{Kind, Settings, Teardown, Watcher as _, seen};
use coracle_compose::plan::Seen;
use coracle_compose::project::found::Wanted;
use coracle_compose::project::{Project, labels};
use coracle_image::store::RemoveOptions;
use coracle_runtime::EngineError;
use coracle_runtime::engine::ProjectLock;
use coracle_runtime::networks::NetworkError;
use coracle_runtime::volumes::VolumeError;

use super::lifecycle::orphans;
use crate::app::App;
use crate::args::{Runnable, values};
use crate::compose::doing::act;
use crate::compose::doing::act::{Images, act, project_of};
use crate::compose::project::place;
use crate::compose::project::place::Place;
use crate::compose::screen::log;
use crate::compose::screen::progress::Progress;
use crate::error::{CliError, CommandResult, ExitStatus};

/// Stop and remove containers and networks
#[derive(Debug, clap::Args)]
pub(crate) struct ComposeDownArgs {
    /// Remove containers of services that are not in the file
    #[arg(long)]
    remove_orphans: bool,
    /// Remove images too: local (those without a name of their own) or all
    #[arg(long, value_name = "string")]
    rmi: Option<String>,
    /// Seconds between the stop signal and SIGKILL
    #[arg(long, short = 't', value_name = "int", value_parser = values::int)]
    timeout: Option<i64>,
    /// Remove named volumes of the file and anonymous volumes too
    #[arg(long, short = 'v')]
    volumes: bool,
    #[arg(value_name = "ARG", hide = true)]
    args: Vec<String>,
}

impl Runnable for ComposeDownArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let rmi = self.rmi.as_deref().filter(|rmi| !rmi.is_empty());
        if let Some(other) = rmi.filter(|rmi| !matches!(*rmi, "local" | "all")) {
            return Err(CliError::plain(format!("invalid value for --rmi: {other:?}")));
        }
        let place = place::project(app, &[])?;
        let project = project_of(app, &place)?;
        let known = |service: &String| project.services.contains_key(service);
        // Without a file nobody can tell a slip of the pen from what has gone already.
        if place.file.is_none() && !self.args.is_empty() && !self.args.iter().any(known) {
            let names = self.args.join(" ");
            let project = &project.name;
            log::info(&format!("Any of the services [{names}] not running in project {project:?}"));
            return Ok(ExitStatus::Success);
        }
        let _lock = self.lock(app, &project)?;
        let mut gone = self.containers(app, &place)?;
        let nothing = gone.is_empty();
        let mut progress = Progress::new(app);
        if app.compose.dry_run {
            for seen in &gone {
                let words = &["Stopping", "Stopped", "Removing", "Removed"];
                crate::compose::screen::dry::tell(
                    &mut progress,
                    Kind::Container,
                    &seen.name,
                    words,
                );
            }
        } else {
            let settings = Settings { grace_s: self.timeout, ..Settings::default() };
            let how = Teardown::Remove { volumes: self.volumes };
            let file = place.file.as_deref();
            act(app, file, &project, &Images::new(), settings, &mut progress, |apply| {
                apply.tear_down(&gone, how)?;
                apply.remove_failed_steps(&self.args)
            })?;
        }
        gone.clear();
        let mut things = Vec::new();
        if self.volumes {
            things.extend(volumes(app, &place, &project)?.into_iter().map(|v| (Kind::Volume, v)));
        }
        if let Some(which) = rmi {
            let images = images(app, &project, which)?;
            things.extend(images.into_iter().map(|image| (Kind::Image, image)));
        }
        things.extend(networks(app, &place, &project)?.into_iter().map(|n| (Kind::Network, n)));
        // What a file makes is known to be its own, also when it has gone.
        let makes = place.file.is_some() && project.networks.values().any(|one| !one.external);
        if nothing && things.is_empty() && !makes {
            let text =
                format!("Warning: No resource found to remove for project {:?}.", project.name);
            log::warning(app, &text);
        }
        for (kind, name) in &things {
            progress.tell(*kind, name, "Removing");
        }
        for (kind, name) in &things {
            let word = match app.compose.dry_run {
                true => "Removed",
                false => remove(app, *kind, name)?,
            };
            progress.tell(*kind, name, word);
        }
        Ok(ExitStatus::Success)
    }
}

impl ComposeDownArgs {
    /// As `down --remove-orphans`.
    pub(crate) fn with_orphans() -> Self {
        Self { remove_orphans: true, rmi: None, timeout: None, volumes: false, args: Vec::new() }
    }

    /// Whoever makes containers of the project meanwhile would find its networks gone. Where no
    /// lock can be made, as on a full disk, nobody else can make one either.
    fn lock(&self, app: &App, project: &Project) -> Result<Option<ProjectLock>, CliError> {
        if app.compose.dry_run {
            return Ok(None);
        }
        match app.engine()?.lock_project(&project.name) {
            Err(EngineError::Path(_) | EngineError::Io { .. }) => Ok(None),
            locked => Ok(Some(locked?)),
        }
    }

    /// The containers to be removed.
    fn containers(&self, app: &mut App, place: &Place) -> Result<Vec<Seen>, CliError> {
        let wanted = Wanted {
            services: self.args.clone(),
            stopped: true,
            one_off: true,
            ..Wanted::default()
        };
        let all = place::find_enabled(app, place, &wanted)?;
        let orphans = orphans(app, place)?;
        let with_orphans = self.remove_orphans || act::is_on(app, "COMPOSE_REMOVE_ORPHANS");
        let is_orphan = |seen: &Seen| orphans.iter().any(|orphan| orphan.id == seen.id);
        let mut gone: Vec<Seen> = all
            .iter()
            .map(seen)
            .filter(|seen| with_orphans || seen.one_off || !is_orphan(seen))
            .collect();
        if with_orphans {
            gone.extend(
                orphans
                    .iter()
                    .filter(|o| gone.iter().all(|g| g.id != o.id))
                    .cloned()
                    .collect::<Vec<_>>(),
            );
        }
        Ok(gone)
    }
}

/// The networks of the project that are there.
fn networks(app: &App, place: &Place, project: &Project) -> Result<Vec<String>, CliError> {
    let all = app.engine()?.networks.list().map_err(EngineError::from)?;
    let ours = |labels: &std::collections::BTreeMap<String, String>| {
        labels.get(labels::PROJECT).is_some_and(|name| *name == project.name)
    };
    let wanted = |name: &str| {
        let mut keys = project.networks.iter().filter(|(_, network)| !network.external);
        keys.any(|(key, _)| project.network_name(key) == name)
    };
    // What was called otherwise once is still that of its key.
    let keyed = |labels: &std::collections::BTreeMap<String, String>| {
        let known = labels.get(labels::NETWORK).and_then(|key| project.networks.get(key));
        known.is_some_and(|network| !network.external)
    };
    let found = all.into_iter().filter(|network| match place.file {
        Some(_) => (wanted(&network.name) || keyed(&network.labels)) && ours(&network.labels),
        None => ours(&network.labels),
    });
    Ok(found.map(|network| network.name).collect())
}

/// The volumes of the project that are there.
fn volumes(app: &App, place: &Place, project: &Project) -> Result<Vec<String>, CliError> {
    let all = app.engine()?.volumes.list().map_err(EngineError::from)?;
    let wanted = |name: &str| {
        let mut keys = project.volumes.iter().filter(|(_, volume)| !volume.external);
        keys.any(|(key, _)| project.volume_name(key) == name)
    };
    let found = all.into_iter().filter(|volume| match place.file {
        Some(_) => wanted(&volume.name),
        None => volume
            .labels
            .as_ref()
            .and_then(|labels| labels.get(labels::PROJECT))
            .is_some_and(|name| *name == project.name),
    });
    Ok(found.map(|volume| volume.name).collect())
}

/// The images of services that are there.
fn images(app: &App, project: &Project, which: &str) -> Result<Vec<String>, CliError> {
    let mut names = Vec::new();
    for service in project.services.values() {
        if which == "local" && service.image.is_some() {
            continue;
        }
        let name = coracle_view::image::with_tag(&app.home, &project.image_name(service))?;
        if coracle_view::image::find(&app.home, &name).is_ok() && !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

/// Removes one thing; the answer is the word for its line.
fn remove(app: &mut App, kind: Kind, name: &str) -> Result<&'static str, CliError> {
    const IN_USE: &str = "Resource is still in use";
    let engine = app.engine()?;
    match kind {
        Kind::Network => match engine.remove_network(name, false) {
            Ok(()) | Err(EngineError::Network(NetworkError::NotFound { .. })) => Ok("Removed"),
            Err(EngineError::Network(NetworkError::InUse { .. })) => Ok(IN_USE),
            Err(error) => Err(error.into()),
        },
        Kind::Volume => match engine.remove_volume(name, true) {
            Ok(()) => Ok("Removed"),
            Err(EngineError::Volume(VolumeError::InUse { .. })) => Ok(IN_USE),
            Err(error) => Err(error.into()),
        },
        Kind::Image => {
            let wanted = coracle_view::image::stored_name(&app.home, name);
            let options = RemoveOptions { force: false, no_prune: false };
            let users = || app.home.image_users();
            match app.store()?.remove(&wanted, options, &users) {
                Ok(_) => Ok("Removed"),
                Err(coracle_image::ImageError::NoSuchImage { .. }) => Ok("Removed"),
                Err(error) if error.to_string().contains("being used") => Ok(IN_USE),
                Err(error) => Err(error.into()),
            }
        }
        Kind::Container => Ok("Removed"),
    }
}
