//! What a running container has of its networks, and what it had: a part of its state.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use coracle_netns::protocol::{Connected, Published};
use serde::{Deserialize, Serialize};

use super::PortMap;

/// The networks of a container as the helper made them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkState {
    /// By the network's name; empty while the container does not run.
    pub endpoints: BTreeMap<String, Endpoint>,
    /// As `inspect` shows them: published ports, and exposed ones without bindings.
    pub ports: PortMap,
    /// As the helper published them.
    pub published: Vec<Published>,
    /// What it had when it last ran, by the network's id: kept so that it gets it again.
    pub last: BTreeMap<String, LastAddress>,
    /// Why it is cut off, when the helper died and could not be had back.
    pub broken: String,
}

/// A container's place in one network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// The network's id.
    pub network: String,
    pub got: Connected,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LastAddress {
    pub ip: Option<Ipv4Addr>,
    pub ip6: Option<Ipv6Addr>,
}
