//! The swarm of this machine: its settings, services, tasks, nodes, secrets and configs.
//!
//! # Limits
//!
//! Other machines cannot join: there is no consensus between machines. In a session (`with-api`) there is no swarm.

use coracle_swarm::SwarmError;
use coracle_swarm::command::IN_A_SWARM;
use coracle_swarm::model::{
    Availability, ClusterSpec, Node, NodeSpec, Secret, SecretSpec, Service, ServiceSpec,
};
use coracle_swarm::protocol::{Answer as Said, Init, Request as Order, Rotate};
use coracle_swarm::state::State;
use coracle_view::secret::Kind;
use coracle_view::{ViewError, network, node, secret, service, task, value_of};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::filters;
use crate::answer::Answer;
use crate::error::ApiError;
use crate::json::{read, read_or_default, take, text, truth};
use crate::worker::Call;

/// The port on which machines exchange packets of overlay networks, and the size of their subnets.
const DATA_PATH_PORT: u32 = 4789;
const SUBNET_SIZE: u32 = 24;
/// What they are cut from where nothing else is said.
const ADDRESS_POOL: &str = "10.0.0.0/8";

impl From<SwarmError> for ApiError {
    fn from(error: SwarmError) -> Self {
        ViewError::from(error).into()
    }
}

/// The state, which a manager alone has.
fn state(call: &Call<'_>) -> Result<State, ApiError> {
    Ok(call.host.manager()?.state)
}

/// Has the agent do it; with the id of what was made, what is to be told.
fn order(call: &Call<'_>, order: &Order) -> Result<(String, Vec<String>), ApiError> {
    match call.host.swarm()?.ask(order)? {
        Said::Done { id, warnings } => Ok((id, warnings)),
        Said::Text { .. } | Said::Refused { .. } => Err(odd()),
    }
}

fn text_of(call: &Call<'_>, order: &Order) -> Result<Zeroizing<String>, ApiError> {
    match call.host.swarm()?.ask(order)? {
        Said::Text { text } => Ok(text),
        Said::Done { .. } | Said::Refused { .. } => Err(odd()),
    }
}

fn odd() -> ApiError {
    ApiError::new(500, "the agent of the swarm gave another answer than was asked for")
}

/// The node that this machine is.
fn this(state: &State) -> Result<&Node, ApiError> {
    node::itself(state).ok_or_else(|| ApiError::new(503, "This node is not part of a swarm"))
}

/// Which version of an object a change is of.
fn version(call: &Call<'_>) -> Result<u64, ApiError> {
    let given = call.request.number("version")?.and_then(|number| u64::try_from(number).ok());
    given.ok_or_else(|| ApiError::bad("invalid version: a whole number is needed"))
}

/// A specification as clients write it: null is nothing, and what users of docker-py write begins with a small letter.
fn specification<T: DeserializeOwned>(value: Value, what: &str) -> Result<T, ApiError> {
    read(large(without_nulls(value)), what)
}

/// Members whose own members have names of the user's.
const MAPS: [&str; 4] = ["Labels", "DriverOpts", "Options", "Sysctls"];

/// With names of members that begin with a capital.
fn large(value: Value) -> Value {
    let named = |(key, value): (String, Value)| {
        let mut letters = key.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        let key: String = first.into_iter().chain(letters).collect();
        let value = if MAPS.contains(&key.as_str()) { value } else { large(value) };
        (key, value)
    };
    match value {
        Value::Object(members) => Value::Object(members.into_iter().map(named).collect()),
        Value::Array(all) => all.into_iter().map(large).collect(),
        other => other,
    }
}

/// Networks are kept by their ids, whatever they are called by.
fn with_network_ids(call: &Call<'_>, spec: &mut ServiceSpec) -> Result<(), ApiError> {
    for used in &mut spec.task_template.networks {
        let found = network::find(call.host.home(), &used.target)?;
        if found.scope() != "swarm" && !found.is_predefined() {
            return Err(ApiError::new(403, network::not_for_services(&found)));
        }
        used.target = found.id;
    }
    Ok(())
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(key, value)| (key, without_nulls(value))).collect())
        }
        Value::Array(all) => all.into_iter().map(without_nulls).collect(),
        other => other,
    }
}

pub(crate) fn inspect(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let state = state(call)?;
    let mut document = value_of(&state.cluster)?;
    if let Some(members) = document.as_object_mut() {
        members.shift_remove("Coracle");
    }
    document["RootRotationInProgress"] = json!(false);
    if document["DefaultAddrPool"].is_null() {
        document["DefaultAddrPool"] = json!([ADDRESS_POOL]);
    }
    Ok(document.into())
}

pub(crate) fn init(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let mut body = call.request.object()?;
    if !truth(&mut body, "ForceNewCluster") {
        refuse_a_member(call)?;
    }
    let address = text(&mut body, "AdvertiseAddr");
    let address = address.split(':').next().unwrap_or_default();
    let pools: Vec<String> =
        read_or_default(take(&mut body, "DefaultAddrPool"), "DefaultAddrPool")?;
    let number = |value: Value| value.as_u64().and_then(|number| u32::try_from(number).ok());
    let port = number(take(&mut body, "DataPathPort")).filter(|port| *port != 0);
    let size = number(take(&mut body, "SubnetSize")).filter(|size| *size != 0);
    let availability = text(&mut body, "Availability");
    let spec = take(&mut body, "Spec");
    let init = Init {
        spec: cluster_spec(ClusterSpec::default(), spec)?,
        advertise_addr: if address.is_empty() { OWN } else { address }.to_owned(),
        default_addr_pool: (!pools.is_empty()).then_some(pools),
        subnet_size: size.unwrap_or(SUBNET_SIZE),
        data_path_port: port.unwrap_or(DATA_PATH_PORT),
        availability: match availability.as_str() {
            "" => Availability::Active,
            word => read(word.into(), "Availability")?,
        },
        force_new_cluster: false,
        node: call.host.node_description(),
        machine: None,
        managers: Vec::new(),
        workers: Vec::new(),
    };
    order(call, &Order::Init(Box::new(init)))?;
    let state = state(call)?;
    Ok(Value::from(this(&state)?.id.clone()).into())
}

/// The machine itself, which no other one reaches.
const OWN: &str = "127.0.0.1";

/// What is not said, or 0, stays.
fn cluster_spec(old: ClusterSpec, given: Value) -> Result<ClusterSpec, ApiError> {
    let mut all = serde_json::to_value(old)?;
    merge(&mut all, without_nulls(given));
    read(all, "Spec")
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (_, Value::Null) => {}
        (_, Value::Number(number)) if number.as_i64() == Some(0) => {}
        (into, from) => *into = from,
    }
}

/// A machine is in one swarm at most.
fn refuse_a_member(call: &Call<'_>) -> Result<(), ApiError> {
    match call.host.manager() {
        Err(_) => Ok(()),
        Ok(_) => Err(ApiError::new(503, IN_A_SWARM)),
    }
}

pub(crate) fn join(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    refuse_a_member(call)?;
    Err(ApiError::unsupported("swarm join", "the nodes of a swarm are all on this machine"))
}

pub(crate) fn leave(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let force = call.request.is_set("force");
    let reader = call.host.swarm()?.read()?;
    if !reader.is_swarm() {
        return Err(ApiError::new(503, "This node is not part of a swarm"));
    }
    if !force {
        let words = coracle_swarm::command::leave_refusal(&reader.state);
        return Err(ApiError::new(503, words.to_string()));
    }
    order(call, &Order::Leave { force })?;
    Ok(Answer::Empty(200))
}

pub(crate) fn update(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let cluster = state(call)?.cluster;
    let spec = cluster_spec(cluster.spec, call.request.json()?)?;
    let rotate = Rotate {
        worker_token: call.request.is_set("rotateWorkerToken"),
        manager_token: call.request.is_set("rotateManagerToken"),
        unlock_key: call.request.is_set("rotateManagerUnlockKey"),
    };
    let version = version(call)?;
    order(call, &Order::UpdateCluster { version, spec: Box::new(spec), rotate })?;
    Ok(Answer::Empty(200))
}

pub(crate) fn unlock_key(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    state(call)?;
    let key = text_of(call, &Order::UnlockKey { rotate: false })?;
    Ok(json!({ "UnlockKey": key.as_str() }).into())
}

pub(crate) fn unlock(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let mut body = call.request.object()?;
    if call.host.manager().is_ok() {
        return Err(ApiError::new(409, "swarm is not locked"));
    }
    order(call, &Order::Unlock { key: Zeroizing::new(text(&mut body, "UnlockKey")) })?;
    Ok(Answer::Empty(200))
}

/// A service, with how many tasks it has where that is asked for.
fn shown(call: &Call<'_>, state: &State, one: &Service) -> Result<Value, ApiError> {
    let mut document = match call.request.is_set("insertDefaults") {
        true => service::document(one)?,
        false => service::bare_document(one)?,
    };
    if call.request.is_set("status") {
        let counts = service::counts(state, one);
        document["ServiceStatus"] = json!({
            "RunningTasks": counts.running,
            "DesiredTasks": counts.desired,
            "CompletedTasks": counts.completed,
        });
    }
    Ok(document)
}

pub(crate) fn services(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let state = state(call)?;
    let found = service::list(&state, &filters(call.request)?)?;
    let all: Vec<Value> =
        found.into_iter().map(|one| shown(call, &state, one)).collect::<Result<_, _>>()?;
    Ok(Value::from(all).into())
}

pub(crate) fn service(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let state = state(call)?;
    let found = service::find(&state, call.request.parameter(0))?;
    Ok(shown(call, &state, found)?.into())
}

/// `null` for none.
fn told(warnings: Vec<String>) -> Value {
    if warnings.is_empty() { Value::Null } else { warnings.into() }
}

pub(crate) fn create_service(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let mut spec: ServiceSpec = specification(call.request.object()?, "service")?;
    state(call)?;
    with_network_ids(call, &mut spec)?;
    let (id, warnings) = order(call, &Order::CreateService { spec: Box::new(spec) })?;
    Ok(Answer::Json(201, json!({ "ID": id, "Warnings": told(warnings) })))
}

pub(crate) fn update_service(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let mut spec: ServiceSpec = specification(call.request.object()?, "service")?;
    let state = state(call)?;
    with_network_ids(call, &mut spec)?;
    let id = service::find(&state, call.request.parameter(0))?.id.clone();
    let rollback = call.request.given("rollback") == Some("previous");
    let version = version(call)?;
    let (_, warnings) =
        order(call, &Order::UpdateService { id, version, spec: Box::new(spec), rollback })
            .map_err(stale)?;
    Ok(json!({ "Warnings": told(warnings) }).into())
}

/// Docker answers 500 to a version that is not the present one.
fn stale(error: ApiError) -> ApiError {
    match error.message.ends_with("update out of sequence") {
        true => error.with(500),
        false => error,
    }
}

pub(crate) fn remove_service(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let state = state(call)?;
    let id = service::find(&state, call.request.parameter(0))?.id.clone();
    order(call, &Order::RemoveService { id })?;
    Ok(Answer::Empty(200))
}

pub(crate) fn tasks(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let state = state(call)?;
    let mut given = filters(call.request)?;
    // Docker's client asks for those of the present specification, which it tells apart by itself.
    given.retain(|filter| filter.key != "_up-to-date" && filter.key != "runtime");
    let found = task::list(&state, this(&state)?, &given)?;
    let home = call.host.home();
    let all: Vec<Value> =
        found.into_iter().map(|one| task::document(home, one)).collect::<Result<_, _>>()?;
    Ok(Value::from(all).into())
}

pub(crate) fn task(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let state = state(call)?;
    let found = service::find_task(&state, call.request.parameter(0))?;
    Ok(task::document(call.host.home(), found)?.into())
}

pub(crate) fn nodes(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let state = state(call)?;
    let found = node::list(&state, &filters(call.request)?)?;
    let all: Vec<Value> = found.into_iter().map(node::document).collect::<Result<_, _>>()?;
    Ok(Value::from(all).into())
}

pub(crate) fn node(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let state = state(call)?;
    let found = node::find(&state, this(&state)?, call.request.parameter(0))?;
    Ok(node::document(found)?.into())
}

pub(crate) fn update_node(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let spec: NodeSpec = specification(call.request.object()?, "node")?;
    let state = state(call)?;
    let id = node::find(&state, this(&state)?, call.request.parameter(0))?.id.clone();
    let version = version(call)?;
    order(call, &Order::UpdateNode { id, version, spec }).map_err(stale)?;
    Ok(Answer::Empty(200))
}

pub(crate) fn remove_node(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let state = state(call)?;
    let id = node::find(&state, this(&state)?, call.request.parameter(0))?.id.clone();
    let force = call.request.is_set("force");
    order(call, &Order::RemoveNode { id, force })?;
    Ok(Answer::Empty(200))
}

/// Secrets or configs, by the path.
fn kind(call: &Call<'_>) -> Kind {
    match call.route.starts_with("/secrets") {
        true => Kind::Secret,
        false => Kind::Config,
    }
}

/// With its content, if it is a config.
fn kept(call: &Call<'_>, one: &Secret) -> Result<Value, ApiError> {
    match kind(call) {
        Kind::Secret => Ok(secret::document(one, None)?),
        Kind::Config => {
            let data = text_of(call, &Order::ConfigData { id: one.id.clone() })?;
            Ok(secret::document(one, Some(&data))?)
        }
    }
}

pub(crate) fn secrets(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let state = state(call)?;
    let found = secret::list(&state, kind(call), &filters(call.request)?)?;
    let all: Vec<Value> = found.into_iter().map(|one| kept(call, one)).collect::<Result<_, _>>()?;
    Ok(Value::from(all).into())
}

pub(crate) fn secret(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let state = state(call)?;
    let found = secret::find(&state, kind(call), call.request.parameter(0))?;
    Ok(kept(call, found)?.into())
}

pub(crate) fn create_secret(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let mut body = call.request.object()?;
    let data = Zeroizing::new(text(&mut body, "Data"));
    let spec: SecretSpec = specification(body, "specification")?;
    state(call)?;
    let order_of = match kind(call) {
        Kind::Secret => Order::CreateSecret { spec, data },
        Kind::Config => Order::CreateConfig { spec, data },
    };
    let (id, _) = order(call, &order_of)?;
    Ok(Answer::Json(201, json!({ "ID": id })))
}

pub(crate) fn update_secret(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let mut body = call.request.object()?;
    let data = text(&mut body, "Data");
    let data = (!data.is_empty()).then(|| Zeroizing::new(data));
    let spec: SecretSpec = specification(body, "specification")?;
    let (state, version) = (state(call)?, version(call)?);
    let id = secret::find(&state, kind(call), call.request.parameter(0))?.id.clone();
    let order_of = match kind(call) {
        Kind::Secret => Order::UpdateSecret { id, version, spec, data },
        Kind::Config => Order::UpdateConfig { id, version, spec, data },
    };
    order(call, &order_of).map_err(stale)?;
    Ok(Answer::Empty(200))
}

pub(crate) fn remove_secret(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let state = state(call)?;
    let id = secret::find(&state, kind(call), call.request.parameter(0))?.id.clone();
    let order_of = match kind(call) {
        Kind::Secret => Order::RemoveSecret { id },
        Kind::Config => Order::RemoveConfig { id },
    };
    order(call, &order_of)?;
    Ok(Answer::Empty(204))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specifications_are_written_in_many_ways() {
        let body = json!({ "Name": "s", "Labels": null, "Mode": { "replicated": { "Replicas": 2 } }, "TaskTemplate": { "ContainerSpec": { "Image": "x", "Env": null } } });
        let spec: ServiceSpec = specification(body, "service").unwrap();
        assert_eq!(
            (spec.name.as_str(), spec.task_template.container_spec.image.as_str()),
            ("s", "x")
        );
        let written = value_of(&spec.mode).unwrap();
        assert_eq!(written, json!({ "Replicated": { "Replicas": 2 } }));
        assert_eq!(
            specification::<ServiceSpec>(json!({ "Name": 1 }), "service").unwrap_err().status,
            400
        );
    }

    #[test]
    fn what_is_not_said_of_a_swarm_stays() {
        let given = json!({ "Labels": null, "Raft": { "ElectionTick": 0, "SnapshotInterval": 7 }, "EncryptionConfig": { "AutoLockManagers": true } });
        let spec = cluster_spec(ClusterSpec::default(), given).unwrap();
        assert_eq!((spec.raft.election_tick, spec.raft.snapshot_interval), (10, 7));
        assert!(spec.encryption_config.auto_lock_managers);
        assert_eq!(cluster_spec(spec.clone(), Value::Null).unwrap(), spec);
    }
}
