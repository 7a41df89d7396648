//! Networks.

use std::collections::BTreeMap;

use coracle_runtime::EngineError;
use coracle_runtime::networks::{
    CreateNetwork, Filter, IpamConfig, NetworkError, OVERLAY, SwarmNetwork,
};
use coracle_view::network::{self, document};
use coracle_view::value_of;
use serde_json::{Value, json};

use super::create::endpoint;
use super::{filters, pairs};
use crate::answer::Answer;
use crate::error::ApiError;
use crate::json::{keys, read, read_or_default, spelled, take, text, truth};
use crate::worker::Call;

pub(crate) fn list(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let filters = filters(call.request)?;
    let networks = network::list(call.host.home(), &filters)?;
    let all = networks.iter().map(|network| value_of(&network.inspect([].into())));
    Ok(Value::Array(all.collect::<Result<_, _>>()?).into())
}

pub(crate) fn inspect(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let api = call.request.version().documents();
    let (home, name) = (call.host.home(), call.request.parameter(0));
    if let Some(scope) = call.request.given("scope")
        && network::find(home, name)?.scope() != scope
    {
        return Err(ApiError::new(404, format!("network {name} not found")));
    }
    Ok(document(home, name, api)?.into())
}

pub(crate) fn create(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let mut body = call.request.object()?;
    let mut ipam = take(&mut body, "IPAM");
    let driver = text(&mut ipam, "Driver");
    if !matches!(driver.as_str(), "" | "default") {
        return Err(ApiError::new(404, format!("plugin {driver:?} not found")));
    }
    let ipam_options: Option<BTreeMap<String, String>> =
        read_or_default(take(&mut ipam, "Options"), "IPAM.Options")?;
    if ipam_options.as_ref().is_some_and(|options| !options.is_empty()) {
        let why = "addresses are given out without options";
        return Err(ApiError::unsupported("IPAM.Options", why));
    }
    let blocks: Vec<Value> = read_or_default(take(&mut ipam, "Config"), "IPAM.Config")?;
    let known = ["Subnet", "IPRange", "Gateway", "AuxiliaryAddresses"].map(str::to_owned);
    let block = |block: Value| {
        let mut members = spelled(block, &known);
        let ours = keys(
            &IpamConfig::default(),
            &["Subnet", "IPRange", "Gateway", "AuxiliaryAddresses", "AuxAddress"],
        );
        members.retain(|key, _| ours.contains(key));
        read::<IpamConfig>(Value::Object(members), "IPAM.Config")
    };
    if truth(&mut body, "ConfigOnly") {
        return Err(ApiError::unsupported("ConfigOnly", "a network is made with its own settings"));
    }
    let driver = text(&mut body, "Driver");
    let swarm = swarm(call, &mut body, &driver)?;
    let ipv4 = take(&mut body, "EnableIPv4").as_bool();
    let request = CreateNetwork {
        name: text(&mut body, "Name"),
        driver,
        ipv4: ipv4.unwrap_or(true),
        ipv6: truth(&mut body, "EnableIPv6"),
        ipam: blocks.into_iter().map(block).collect::<Result<_, _>>()?,
        internal: truth(&mut body, "Internal"),
        attachable: truth(&mut body, "Attachable"),
        options: read_or_default(take(&mut body, "Options"), "Options")?,
        labels: read_or_default(take(&mut body, "Labels"), "Labels")?,
        swarm,
        bare_ipam: ipam_options.is_none(),
    };
    let network = call.host.home().engine()?.create_network(request)?;
    Ok(Answer::Json(201, json!({ "Id": network.id, "Warning": "" })))
}

/// What a network of the swarm has besides; `None` for one of this machine.
fn swarm(
    call: &Call<'_>,
    body: &mut Value,
    driver: &str,
) -> Result<Option<SwarmNetwork>, ApiError> {
    let (ingress, scope) = (truth(body, "Ingress"), text(body, "Scope"));
    if !matches!(scope.as_str(), "" | "local" | "swarm") {
        return Err(ApiError::unsupported("Scope", "a network is local or a swarm's"));
    }
    let is_swarms = ingress || scope == "swarm";
    if !is_swarms && driver != OVERLAY {
        return Ok(None);
    }
    match call.host.manager() {
        Ok(_) => Ok(Some(SwarmNetwork { ingress, ..SwarmNetwork::default() })),
        Err(error) if is_swarms => Err(error),
        Err(_) => Ok(None),
    }
}

pub(crate) fn remove(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let found = network::find(call.host.home(), call.request.parameter(0))?;
    // Where there is no swarm nothing of it stands in the way.
    if let Ok(swarm) = call.host.manager()
        && let Some(refusal) = network::removal_refused(&swarm.state, &found)
    {
        return Err(refusal.into());
    }
    let removed = call.host.home().engine()?.remove_network(&found.id, false);
    removed.map_err(forbidden)?;
    Ok(Answer::Empty(204))
}

/// A network in use is 403 where a container is 409.
fn forbidden(error: EngineError) -> ApiError {
    let in_use = matches!(&error, EngineError::Network(NetworkError::InUse { .. }));
    let error = ApiError::from(error);
    if in_use { error.with(403) } else { error }
}

pub(crate) fn prune(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let given = filters(call.request)?;
    let now = call.host.now();
    let until = given.iter().find(|filter| filter.key == "until");
    let until = until.map(|filter| now.moment(&filter.value)).transpose()?;
    let filter = Filter::for_prune(pairs(&given), until).map_err(EngineError::from)?;
    let gone = call.host.home().engine()?.prune_networks(&filter, |_| None)?;
    Ok(json!({ "NetworksDeleted": if gone.is_empty() { Value::Null } else { gone.into() } }).into())
}

pub(crate) fn connect(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let mut body = call.request.object()?;
    let container = text(&mut body, "Container");
    let wish = endpoint(take(&mut body, "EndpointConfig"))?;
    call.host.enter(false)?;
    let name = call.request.parameter(0).to_owned();
    let id = coracle_view::container::find_id(call.host.home(), &container)?;
    call.host.home().engine()?.connect_network(&name, &id, wish).map_err(connected)?;
    Ok(Answer::Empty(200))
}

/// Who is in a network already is forbidden to join it.
fn connected(error: EngineError) -> ApiError {
    let error = ApiError::from(error);
    match error.message.contains("already exists in network") {
        true => error.with(403),
        false => error,
    }
}

pub(crate) fn disconnect(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let mut body = call.request.object()?;
    let container = text(&mut body, "Container");
    let force = truth(&mut body, "Force");
    call.host.enter(false)?;
    let name = call.request.parameter(0).to_owned();
    let done = call.host.home().engine()?.disconnect_network(&name, &container, force);
    done.map_err(|error| {
        let error = ApiError::from(error);
        match error.message.contains(" is not connected to network ") {
            true => error.with(500),
            false => error,
        }
    })?;
    Ok(Answer::Empty(200))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_in_use_is_forbidden() {
        let error = EngineError::Network(NetworkError::NotFound { reference: "x".to_owned() });
        assert_eq!(forbidden(error).status, 404);
    }
}
