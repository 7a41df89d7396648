//! Which objects there are, with a word on each.
//!
//! Nothing is entered, started or recovered: records are read as they are.

use std::collections::BTreeMap;

use coracle_runtime::model::Status;
use coracle_swarm::state::State;
use coracle_view::container::{self, Known};
use coracle_view::filter::Filters;
use coracle_view::image::ListOptions;
use coracle_view::secret::Kind as Stored;
use coracle_view::{Api, ViewError, image, network, node, secret, service, volume};

use super::Candidate;
use super::kinds::{Kind, Which};
use super::typed::Typed;
use crate::app::App;
use crate::compose::ComposeGlobals;
use crate::compose::project::load;
use crate::format::units::short_size;

/// The candidates of a kind; none when they cannot be read.
pub(super) fn of(app: &mut App, typed: &Typed, kind: Kind) -> Vec<Candidate> {
    let found = match kind {
        Kind::Containers(which) => containers(app, |known| is(which, known)),
        Kind::LinkTargets => containers(app, |_| true).map(|all| with(all, "", ":")),
        Kind::ModeOrContainer(words) => modes(app, typed, words),
        Kind::Images { repositories } => images(app, repositories),
        Kind::Networks => networks(app),
        Kind::Connected { to } => connected(app, typed, to),
        Kind::Volumes => volumes(app),
        Kind::Objects => objects(app, typed),
        Kind::Services | Kind::Profiles => Ok(of_project(app, typed, kind)),
        Kind::Projects => projects(app),
        Kind::SwarmServices
        | Kind::Tasks
        | Kind::Nodes
        | Kind::Secrets
        | Kind::Configs
        | Kind::Stacks
        | Kind::Machines => Ok(of_swarm(app, kind)),
        Kind::Variables => {
            // Their values are nobody's business.
            Ok(app.settings.environment.all.keys().map(|name| Candidate::new(name, "")).collect())
        }
        Kind::Capabilities => {
            let all = coracle_runtime::spec::capability_names();
            Ok(std::iter::once("ALL").chain(all).map(|name| Candidate::new(name, "")).collect())
        }
        Kind::Signals => {
            let all = coracle_runtime::processes::signals::names();
            Ok(all.map(|name| Candidate::new(name, "")).collect())
        }
        Kind::Nothing | Kind::Files | Kind::Folders | Kind::Fixed(_) | Kind::Copy { .. } => {
            Ok(Vec::new())
        }
    };
    found.unwrap_or_default()
}

type Found = Result<Vec<Candidate>, ViewError>;

fn with(all: Vec<Candidate>, before: &str, after: &str) -> Vec<Candidate> {
    let around = |one: Candidate| Candidate::new(format!("{before}{}{after}", one.word), one.about);
    all.into_iter().map(around).collect()
}

fn is(which: Which, known: &Known) -> bool {
    let status = known.state.status;
    let runs = matches!(status, Status::Running | Status::Paused | Status::Restarting);
    match which {
        Which::All => true,
        Which::Running => runs,
        Which::Active => runs && status != Status::Paused,
        Which::Paused => status == Status::Paused,
        Which::Startable => matches!(status, Status::Created | Status::Exited),
        Which::Removable => !runs,
    }
}

/// As with Docker's client, ids too when a variable asks for them.
pub(super) fn containers(app: &App, wanted: impl Fn(&Known) -> bool) -> Found {
    let variable = app.settings.environment.get("DOCKER_COMPLETION_SHOW_CONTAINER_IDS");
    let ids = variable == Some("yes");
    let now = app.now();
    let mut out = Vec::new();
    for known in container::list(&app.home)?.iter().filter(|known| wanted(known)) {
        let state = container::status(&known.state, now);
        let about = format!("{}, {state}", known.container.image_name);
        out.push(Candidate::new(&known.container.name, about.as_str()));
        if ids {
            out.push(Candidate::new(&known.container.id, about));
        }
    }
    Ok(out)
}

fn modes(app: &App, typed: &Typed, words: &[(&str, &str)]) -> Found {
    if typed.prefix.starts_with("container:") {
        return containers(app, |_| true).map(|all| with(all, "container:", ""));
    }
    let mut out = vec![Candidate::new("container:", "That of another container")];
    out.extend(words.iter().map(|(word, about)| Candidate::new(*word, *about)));
    Ok(out)
}

fn images(app: &App, repositories: bool) -> Found {
    let (api, all) = (Api::V1_51, false);
    let options = ListOptions { api, all, details: false, shared_size: false };
    let filters = Filters::new(&[], image::FILTERS)?;
    let mut out = Vec::new();
    let mut tags: BTreeMap<String, usize> = BTreeMap::new();
    for summary in image::list(&app.home, &filters, options, &app.asked())? {
        let about = short_size(summary.size + summary.content_size);
        for name in &summary.image.names {
            *tags.entry(name.familiar_repository()).or_default() += 1;
            out.push(Candidate::new(name.familiar(), about.as_str()));
        }
    }
    if repositories {
        let several = tags.into_iter().filter(|(_, count)| *count > 1);
        out.extend(several.map(|(name, count)| Candidate::new(name, format!("{count} tags"))));
    }
    Ok(out)
}

fn networks(app: &App) -> Found {
    let all = network::all(&app.home)?;
    Ok(all.into_iter().map(|one| Candidate::new(one.name, one.driver)).collect())
}

/// Containers that are connected to the network that stands before, or are not.
fn connected(app: &App, typed: &Typed, to: bool) -> Found {
    let name = typed.given().first().cloned().unwrap_or_default();
    let is_connected = |known: &Known| container::networks(&known.container).contains(&name);
    containers(app, |known| is_connected(known) == to)
}

fn volumes(app: &App) -> Found {
    let all = volume::all(&app.home, None)?;
    Ok(all.into_iter().map(|one| Candidate::new(one.seen.name, "")).collect())
}

fn objects(app: &mut App, typed: &Typed) -> Found {
    Ok(match typed.value("type") {
        Some("container") => containers(app, |_| true)?,
        Some("image") => images(app, false)?,
        Some("network") => networks(app)?,
        Some("volume") => volumes(app)?,
        Some("node") => of_swarm(app, Kind::Nodes),
        Some("secret") => of_swarm(app, Kind::Secrets),
        Some("config") => of_swarm(app, Kind::Configs),
        Some("service") => of_swarm(app, Kind::SwarmServices),
        Some("task") => of_swarm(app, Kind::Tasks),
        _ => Vec::new(),
    })
}

/// Services and profiles of the Compose files here, those of other profiles too.
pub(super) fn of_project(app: &mut App, typed: &Typed, kind: Kind) -> Vec<Candidate> {
    let matches = app.table.compose.parser().try_get_matches_from(&typed.compose);
    let Ok((globals, _)) =
        matches.map_err(drop).and_then(|m| ComposeGlobals::parse(&m).map_err(drop))
    else {
        return Vec::new();
    };
    app.compose = globals;
    let Ok(mut options) = load::options(app) else { return Vec::new() };
    options.profiles = vec!["*".to_owned()];
    let Ok(loaded) = load::quietly(&options) else { return Vec::new() };
    let Some(services) = loaded.project.get("services").and_then(|all| all.as_object()) else {
        return Vec::new();
    };
    if kind == Kind::Services {
        let about = |service: &serde_json::Value| match service.get("image") {
            Some(image) => image.as_str().unwrap_or_default().to_owned(),
            None => "built here".to_owned(),
        };
        return services.iter().map(|(name, one)| Candidate::new(name, about(one))).collect();
    }
    let mut profiles: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, service) in services {
        let of_service = service.get("profiles").and_then(|all| all.as_array());
        for profile in of_service.into_iter().flatten().filter_map(|one| one.as_str()) {
            profiles.entry(profile).or_default().push(name);
        }
    }
    profiles.into_iter().map(|(name, all)| Candidate::new(name, all.join(", "))).collect()
}

/// Projects that have containers.
fn projects(app: &App) -> Found {
    let label = coracle_compose::project::labels::PROJECT;
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    for known in container::list(&app.home)? {
        if let Some(project) = known.container.config.labels.get(label) {
            *count.entry(project.clone()).or_default() += 1;
        }
    }
    let about = |count: usize| {
        if count == 1 { "1 container".to_owned() } else { format!("{count} containers") }
    };
    Ok(count.into_iter().map(|(name, all)| Candidate::new(name, about(all))).collect())
}

fn of_swarm(app: &App, kind: Kind) -> Vec<Candidate> {
    let Ok((_, reader)) = app.swarm_state() else { return Vec::new() };
    let state: &State = &reader.state;
    let stored =
        |kind: Stored| kind.all(state).values().map(|one| Candidate::new(&one.spec.name, ""));
    match kind {
        Kind::SwarmServices => {
            service::all(state).map(|one| Candidate::new(&one.spec.name, "")).collect()
        }
        Kind::Tasks => state.tasks.values().map(|one| Candidate::new(&one.id, "")).collect(),
        Kind::Nodes => {
            state.nodes.values().map(|one| Candidate::new(node::name_of(one), "")).collect()
        }
        Kind::Secrets => stored(secret::Kind::Secret).collect(),
        Kind::Configs => stored(secret::Kind::Config).collect(),
        Kind::Stacks => {
            let stacks = coracle_swarm::stack::members::stacks(state);
            stacks.into_keys().map(|name| Candidate::new(name, "")).collect()
        }
        Kind::Machines => node::machines(state)
            .into_iter()
            .map(|one| Candidate::new(node::name_of(one), ""))
            .collect(),
        _ => Vec::new(),
    }
}
