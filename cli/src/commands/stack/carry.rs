//! A deploy, step by step: networks, secrets, configs and services are made and changed as Docker says it.

use std::collections::BTreeMap;
use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use coracle_compose::StackFile;
use coracle_runtime::networks::{CreateNetwork, IpamConfig, SwarmNetwork};
use coracle_swarm::model::{Secret, Service};
use coracle_swarm::protocol::Request;
use coracle_swarm::stack::images::Resolve;
use coracle_swarm::stack::{self, Content, Known, WantedFile, WantedNetwork, WantedService};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::app::App;
use crate::commands::service::converge;
use crate::digests::Digests;
use crate::error::{CliError, CommandResult, Failures};

const OVERLAY: &str = "overlay";
/// What the agent says of other content.
const UNCHANGEABLE: &str = "only updates to Labels are allowed";

/// What was about to be done stands before the error.
fn failed(what: &str, name: &str, mut error: CliError) -> CliError {
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
    };
    app.engine()?.create_network(request).map_err(|error| fail(error.into()))?;
    Ok(())
}

/// Secrets, then configs.
pub(super) fn files(app: &mut App, name: &str, file: &StackFile) -> Result<(), CliError> {
    let secrets = stack::secrets(&file.config, name, &|key| file.secrets.get(key).cloned());
    let secrets = contents(secrets)?;
    let state = app.manager()?.state;
    for (wanted, data) in secrets {
        let known = state.secrets.values().find(|it| it.spec.name == wanted.spec.name);
        one_file(app, "secret", known, wanted, data)?;
    }
    let configs = stack::configs(&file.config, name, &|key| file.configs.get(key).cloned());
    for (wanted, data) in contents(configs)? {
        let known = state.configs.values().find(|it| it.spec.name == wanted.spec.name);
        one_file(app, "config", known, wanted, data)?;
    }
    Ok(())
}

/// All are read before anything is made.
fn contents(all: Vec<WantedFile>) -> Result<Vec<(WantedFile, Zeroizing<String>)>, CliError> {
    let mut out = Vec::with_capacity(all.len());
    for wanted in all {
        let bytes = match &wanted.content {
            Content::File(path) => std::fs::read(path).map_err(|e| {
                CliError::plain(format!("open {path}: {}", crate::files::reason(&e)))
            })?,
            Content::Given(text) => text.clone().into_bytes(),
            Content::Missing(variable) => {
                let text = format!(
                    "environment variable {variable:?} required by {:?} is not set",
                    wanted.key
                );
                return Err(CliError::plain(text));
            }
            Content::Elsewhere => Vec::new(),
        };
        let bytes = Zeroizing::new(bytes);
        out.push((wanted, Zeroizing::new(BASE64.encode(&*bytes))));
    }
    Ok(out)
}

fn one_file(
    app: &mut App,
    kind: &str,
    known: Option<&Secret>,
    wanted: WantedFile,
    data: Zeroizing<String>,
) -> Result<(), CliError> {
    let name = wanted.spec.name.clone();
    let is_secret = kind == "secret";
    let spec = wanted.spec;
    let Some(known) = known else {
        writeln!(app.ui.data(), "Creating {kind} {name}")?;
        let request = match is_secret {
            true => Request::CreateSecret { spec, data },
            false => Request::CreateConfig { spec, data },
        };
        let made = app.order(&request);
        made.map_err(|error| failed(&format!("create {kind}"), &name, error))?;
        return Ok(());
    };
    let (id, version, data) = (known.id.clone(), known.meta.version.index, Some(data));
    let request = match is_secret {
        true => Request::UpdateSecret { id, version, spec, data },
        false => Request::UpdateConfig { id, version, spec, data },
    };
    let changed = app.order(&request);
    changed.map_err(|error| {
        let rotate = format!("`{} {kind} rotate {name} FILE`", app.program);
        let error = match error.message.ends_with(UNCHANGEABLE) {
            true => error.hint(format!("{rotate} gives another one to the services, one by one")),
            false => error,
        };
        failed(&format!("update {kind}"), &name, error)
    })?;
    Ok(())
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
    let id = |mut all: std::collections::btree_map::Values<'_, String, Secret>, name: &str| {
        all.find(|it| it.spec.name == name).map(|it| it.id.clone())
    };
    let known = Known {
        secret: &|name| id(state.secrets.values(), name),
        config: &|name| id(state.configs.values(), name),
    };
    let mut wanted = stack::services(config, name, &known)?;
    let there = stack::members::services(&state, name);
    let known = |name: &str| there.iter().find(|it| it.spec.name == name).copied();
    let mut asked = BTreeMap::new();
    for service in &mut wanted {
        if let Ok(spec) = &mut service.spec
            && resolve.asks(known(&service.name), spec)
        {
            asked.insert(service.name.clone(), spec.task_template.container_spec.image.clone());
        }
    }
    let digests = Digests::ask(app, asked.values().cloned(), login)?;
    let mut ids = Vec::with_capacity(wanted.len());
    for service in wanted {
        let (digests, known) = (asked.get(&service.name).map(|_| &digests), known(&service.name));
        ids.push(one_service(app, service, known, digests)?);
    }
    Ok(ids)
}

fn one_service(
    app: &mut App,
    wanted: WantedService,
    known: Option<&Service>,
    digests: Option<&Digests>,
) -> Result<String, CliError> {
    let name = wanted.name;
    match known {
        None => writeln!(app.ui.data(), "Creating service {name}")?,
        Some(known) => writeln!(app.ui.data(), "Updating service {name} (id: {})", known.id)?,
    }
    app.ui.flush()?;
    let what = if known.is_some() { "update service" } else { "create service" };
    let fail = |error: CliError| failed(what, &name, error);
    let mut spec = wanted.spec.map_err(|error| fail(error.into()))?;
    let warning = digests.and_then(|digests| digests.pin(&mut spec));
    for network in &mut spec.task_template.networks {
        network.target = network_id(app, &network.target).map_err(fail)?;
    }
    let spec = Box::new(spec);
    let Some(known) = known else {
        return app.order(&Request::CreateService { spec }).map_err(fail);
    };
    let mut spec = spec;
    spec.task_template.force_update = known.spec.task_template.force_update;
    let (id, version) = (known.id.clone(), known.meta.version.index);
    let request = Request::UpdateService { id, version, spec, rollback: false };
    app.order(&request).map_err(fail)?;
    // Docker says so only of a service that was there.
    if let Some(warning) = warning {
        writeln!(app.ui.status(), "{warning}")?;
    }
    Ok(known.id.clone())
}

/// What a service's network is called by the swarm.
fn network_id(app: &App, name: &str) -> Result<String, CliError> {
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
        return Err(CliError::engine(format!(
            "The network {} cannot be used with services. Only networks scoped to the swarm can be used, such as \
             those created with the overlay driver.",
            network.name
        )));
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
