//! A deploy, step by step: networks and services are made and changed as Docker says it; `contents` has the rest.

use std::collections::BTreeMap;
use std::io::Write as _;

use coracle_runtime::networks::{CreateNetwork, IpamConfig, OVERLAY, SwarmNetwork};
use coracle_swarm::model::{Service, ServiceSpec, secret};
use coracle_swarm::protocol::Request;
use coracle_swarm::stack::images::Resolve;
use coracle_swarm::stack::{self, Known, StackError, WantedNetwork, WantedService};
use coracle_swarm::state::State;
use coracle_view::network::not_for_services;
use coracle_view::secret::Kind;
use serde_json::Value;

use crate::app::App;
use crate::commands::service::converge;
use crate::digests::Digests;
use crate::error::{CliError, CommandResult, Failures};

/// What was about to be done stands before the error.
pub(super) fn failed(what: &str, name: &str, mut error: CliError) -> CliError {
    error.message = format!("failed to {what} {name}: {}", error.message);
    error
}

pub(super) fn network(app: &mut App, wanted: &WantedNetwork) -> Result<(), CliError> {
    let fail = |error| failed("create network", &wanted.name, error);
    // Only names of a swarm's objects are asked to be names of DNS.
    let is_swarms = wanted.driver == OVERLAY;
    if !matches!(wanted.ipam_driver.as_str(), "" | "default") {
        let text = format!("plugin {:?} not found", wanted.ipam_driver);
        return Err(fail(CliError::engine(text)));
    }
    let pool = |subnet: &String| IpamConfig { subnet: subnet.clone(), ..IpamConfig::default() };
    let request = CreateNetwork {
        name: wanted.name.clone(),
        driver: wanted.driver.clone(),
        ipv4: true,
        ipv6: wanted.ipv6,
        ipam: wanted.subnets.iter().map(pool).collect(),
        internal: wanted.internal,
        attachable: wanted.attachable,
        options: wanted.options.clone(),
        labels: wanted.labels.clone(),
        swarm: is_swarms.then(SwarmNetwork::default),
        bare_ipam: false,
    };
    app.engine()?.create_network(request).map_err(|error| fail(error.into()))?;
    Ok(())
}

/// The services of a stack, with the secrets and configs that there are.
pub(super) fn wanted_services(
    state: &State,
    name: &str,
    config: &Value,
) -> Result<Vec<WantedService>, CliError> {
    let found = |kind: Kind, name: &str| {
        secret::named(kind.all(state), name).map(|it| (it.id.clone(), it.spec.name.clone()))
    };
    let known = Known {
        secret: &|name| found(Kind::Secret, name),
        config: &|name| found(Kind::Config, name),
    };
    Ok(stack::services(config, name, &known)?)
}

/// The same with the digests of images, where they are asked for; Docker's warning where the registry did not say. `login`
/// shows registries who asks.
pub(super) fn resolved(
    app: &mut App,
    state: &State,
    name: &str,
    config: &Value,
    resolve: Resolve,
    login: bool,
) -> Result<Vec<(WantedService, Option<String>)>, CliError> {
    let mut wanted = wanted_services(state, name, config)?;
    let there = stack::members::services(state, name);
    let mut asked = BTreeMap::new();
    for service in &mut wanted {
        let known = there.iter().find(|it| it.spec.name == service.name).copied();
        if let Ok(spec) = &mut service.spec
            && resolve.asks(known, spec)
        {
            asked.insert(service.name.clone(), spec.task_template.container_spec.image.clone());
        }
    }
    let digests = Digests::ask(app, asked.values().cloned(), login)?;
    let pinned = |mut service: WantedService| {
        let warning = match &mut service.spec {
            Ok(spec) if asked.contains_key(&service.name) => digests.pin(spec),
            _ => None,
        };
        (service, warning)
    };
    Ok(wanted.into_iter().map(pinned).collect())
}

/// Gives the ids of the services, in the order of the file. `login` shows registries who asks for digests.
pub(super) fn services(
    app: &mut App,
    name: &str,
    config: &Value,
    resolve: Resolve,
    login: bool,
) -> Result<Vec<String>, CliError> {
    let state = app.manager()?.state;
    let wanted = resolved(app, &state, name, config, resolve, login)?;
    let there = stack::members::services(&state, name);
    let mut ids = Vec::with_capacity(wanted.len());
    for (service, warning) in wanted {
        let known = there.iter().find(|it| it.spec.name == service.name).copied();
        ids.push(one_service(app, service, known, warning)?);
    }
    Ok(ids)
}

fn one_service(
    app: &mut App,
    wanted: WantedService,
    known: Option<&Service>,
    warning: Option<String>,
) -> Result<String, CliError> {
    let name = wanted.name;
    match known {
        None => writeln!(app.ui.data(), "Creating service {name}")?,
        Some(known) => writeln!(app.ui.data(), "Updating service {name} (id: {})", known.id)?,
    }
    app.ui.flush()?;
    let what = if known.is_some() { "update service" } else { "create service" };
    let fail = |error: CliError| failed(what, &name, error);
    let spec = prepared(wanted.spec, known, &|name| network_id(app, name)).map_err(fail)?;
    let spec = Box::new(spec);
    let Some(known) = known else {
        return app.order(&Request::CreateService { spec }).map_err(fail);
    };
    // A file says all that a service is to be, whatever came before.
    app.in_sequence(|app| {
        let state = app.manager()?.state;
        let now = state.services.get(&known.id).unwrap_or(known);
        let (id, version) = (known.id.clone(), now.meta.version.index);
        app.order(&Request::UpdateService { id, version, spec: spec.clone(), rollback: false })
    })
    .map_err(fail)?;
    // Docker says so only of a service that was there.
    if let Some(warning) = warning {
        writeln!(app.ui.status(), "{warning}")?;
    }
    Ok(known.id.clone())
}

/// A spec as it is ordered.
pub(super) fn prepared(
    wanted: Result<ServiceSpec, StackError>,
    known: Option<&Service>,
    network: &dyn Fn(&str) -> Result<String, CliError>,
) -> Result<ServiceSpec, CliError> {
    let mut spec = wanted?;
    for used in &mut spec.task_template.networks {
        used.target = network(&used.target)?;
    }
    if let Some(known) = known {
        spec.task_template.force_update = known.spec.task_template.force_update;
    }
    Ok(spec)
}

/// What a service's network is called by the swarm.
pub(super) fn network_id(app: &App, name: &str) -> Result<String, CliError> {
    // These are on every node, under their names.
    if matches!(name, "host" | "bridge") {
        return Ok(name.to_owned());
    }
    if name == "none" {
        let text =
            "could not find the corresponding predefined swarm network: network none not found";
        return Err(CliError::engine(text));
    }
    let network = app.engine()?.networks.find(name).map_err(coracle_runtime::EngineError::from)?;
    if network.ingress {
        return Err(CliError::engine(format!(
            "rpc error: code = InvalidArgument desc = Service cannot be explicitly attached to the ingress network \
             {:?}",
            network.name
        )));
    }
    if !network.swarm {
        return Err(CliError::engine(not_for_services(&network)));
    }
    Ok(network.id)
}

pub(super) fn remove_service(app: &mut App, service: &Service) -> Result<(), CliError> {
    writeln!(app.ui.data(), "Removing service {}", service.spec.name)?;
    app.order(&Request::RemoveService { id: service.id.clone() })?;
    Ok(())
}

/// Until all are as asked, one after the other.
pub(super) fn wait(app: &mut App, ids: &[String], quiet: bool) -> CommandResult {
    let mut failures = Failures::default();
    for id in ids {
        failures.check(converge::wait(app, id, id, quiet));
    }
    failures.finish()
}
