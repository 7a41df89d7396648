//! The networks that there are: all of this machine, or those of one node.
//!
//! A node has Docker's three, and the two that every node of a swarm has. A manager knows all networks of the swarm,
//! a worker only those that a container of it is in. What else is local is the machine's.

use std::collections::BTreeMap;

use coracle_runtime::home::Scope;
use coracle_runtime::networks::{Member, Network, NetworkError};
use coracle_runtime::{Engine, Home};
use coracle_swarm::agent::GWBRIDGE;

use crate::ViewError;

/// The network of that name, id, or unique beginning of an id.
///
/// # Errors
/// When there is none, or its record cannot be read.
pub fn find(home: &Home, reference: &str) -> Result<Network, ViewError> {
    let engine = home.engine()?;
    let found = engine.networks.find(reference)?;
    match home.scope() {
        Some(scope) if !is_known(engine, scope, &found) => {
            Err(NetworkError::NotFound { reference: reference.to_owned() }.into())
        }
        _ => Ok(found),
    }
}

/// Those that the home shows, in no order.
///
/// # Errors
/// When the records cannot be read.
pub fn all(home: &Home) -> Result<Vec<Network>, ViewError> {
    let engine = home.engine()?;
    let mut networks = engine.networks.list()?;
    if let Some(scope) = home.scope() {
        networks.retain(|network| is_known(engine, scope, network));
    }
    Ok(networks)
}

/// The containers in a network that the home shows.
pub(super) fn members(
    home: &Home,
    network: &Network,
) -> Result<BTreeMap<String, Member>, ViewError> {
    let engine = home.engine()?;
    let mut members = engine.network_members(network);
    if let Some(scope) = home.scope() {
        members.retain(|id, _| is_of(engine, scope, id));
    }
    if home.settings().owner.is_some() {
        // A reference finds what is its own alone.
        members.retain(|id, _| engine.records.find(id).is_ok());
    }
    Ok(members)
}

fn is_known(engine: &Engine, scope: &Scope, network: &Network) -> bool {
    if network.is_predefined() || network.ingress || network.name == GWBRIDGE {
        return true;
    }
    let knows_all = if network.swarm { scope.is_manager } else { scope.is_machine };
    knows_all
        || network.swarm
            && engine.network_members(network).keys().any(|id| is_of(engine, scope, id))
}

fn is_of(engine: &Engine, scope: &Scope, id: &str) -> bool {
    engine.records.load(id).is_ok_and(|container| scope.has(&container))
}
