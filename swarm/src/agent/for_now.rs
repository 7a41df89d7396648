//! Checks of commands, until those that are decided purely take their place.
use crate::model::*;
use crate::state::{Change, State};
use coracle_words::{ErrorKind, Timestamp};
pub(super) const NOT_A_MANAGER: &str = "This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm join\" to connect this node to swarm and try again.";
pub(super) const LOCKED: &str = "Swarm is encrypted and needs to be unlocked before it can be used. Please use \"docker swarm unlock\" to unlock it.";
pub(super) const LAST_MANAGER_LEAVES: &str = "x";
pub(super) const MANAGER_LEAVES: &str = "x";
pub(super) enum Rollback {
    No,
    Previous,
}
pub(super) struct CommandError {
    pub(super) kind: ErrorKind,
    pub(super) words: String,
}
type R = Result<Vec<Change>, CommandError>;
pub(super) fn create_service(state: &State, spec: ServiceSpec, id: String, _now: Timestamp) -> R {
    let mut s = Service { id, spec, ..Service::default() };
    s.own.spec_version = state.index + 1;
    Ok(vec![s.into()])
}
pub(super) fn update_service(
    state: &State,
    id: &str,
    _v: u64,
    spec: ServiceSpec,
    _r: Rollback,
    _now: Timestamp,
) -> R {
    let mut s = state.services[id].clone();
    if s.spec.task_template != spec.task_template {
        s.own.spec_version = state.index + 1;
    }
    s.spec = spec;
    Ok(vec![s.into()])
}
pub(super) fn remove_service(state: &State, id: &str) -> R {
    let mut s = state.services[id].clone();
    s.own.removed = true;
    Ok(vec![s.into()])
}
pub(super) fn create_secret(_s: &State, _sp: SecretSpec, _id: String, _l: usize, _se: Sealed) -> R {
    Ok(vec![])
}
pub(super) fn update_secret(_s: &State, _id: &str, _v: u64, _sp: SecretSpec) -> R {
    Ok(vec![])
}
pub(super) fn remove_secret(_s: &State, _id: &str) -> R {
    Ok(vec![])
}
pub(super) fn create_config(_s: &State, _sp: SecretSpec, _id: String, _l: usize, _se: Sealed) -> R {
    Ok(vec![])
}
pub(super) fn update_config(_s: &State, _id: &str, _v: u64, _sp: SecretSpec) -> R {
    Ok(vec![])
}
pub(super) fn remove_config(_s: &State, _id: &str) -> R {
    Ok(vec![])
}
pub(super) fn update_node(_s: &State, _id: &str, _v: u64, _sp: NodeSpec) -> R {
    Ok(vec![])
}
pub(super) fn remove_node(_s: &State, _id: &str, _f: bool) -> R {
    Ok(vec![])
}
pub(super) fn update_cluster(
    s: &State,
    _v: u64,
    _spec: ClusterSpec,
    _w: Option<String>,
    _m: Option<String>,
) -> Result<Cluster, CommandError> {
    Ok(s.cluster.clone())
}
