//! What a swarm wants of its networks: virtual addresses, names of services, ports of services.
//!
//! # How it works
//!
//! One client, the swarm's agent, sends a [`Balance`]: all that is wanted, in place of what was
//! wanted before. The helper keeps it when that client goes, until another comes or the helper
//! ends: tasks go on while an agent is killed and started again. While the client is connected
//! the helper does not end; when the helper does, the client sees its connection close, and sends
//! all of it to the next one.
//!
//! A task is *ready* when its address is listed so, and a member of the network has that address:
//! one whose monitor's connection closes is left out at once, before the agent says so.
//!
//! # Limits
//!
//! At most [`BALANCE_BYTES_MAX`] bytes as JSON; it travels as a file, not in the message.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::protocol::Protocol;

/// More than tens of thousands of tasks with their names need.
pub const BALANCE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// All that is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Balance {
    /// By network id.
    pub networks: BTreeMap<String, Wanted>,
    /// Ports of services.
    pub ingress: Vec<Ingress>,
    /// Where those that are bound to all addresses are not to answer. `None`: they answer at all.
    pub gates: Option<Gates>,
}

/// A range of this host's addresses that stand for machines, of which some are away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gates {
    pub first: IpAddr,
    pub last: IpAddr,
    /// The addresses of the range at which ports of services answer.
    pub open: Vec<IpAddr>,
}

/// What is wanted of one network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Wanted {
    /// Addresses of tasks: leased only to a container that asks for that very one. The virtual
    /// addresses below are nobody's, and need not be repeated here.
    pub reserved: Vec<IpAddr>,
    pub services: Vec<Service>,
}

/// A service in a network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Service {
    /// Answered with the virtual address, or without one with the ready addresses. The first is
    /// the one that the virtual address resolves to.
    pub names: Vec<String>,
    /// `tasks.NAME`: answered with the ready addresses.
    pub task_names: Vec<String>,
    /// Connections to it go round over the ready addresses, whatever their port.
    pub vip: Option<IpAddr>,
    /// Addresses of tasks that take new connections.
    pub ready: Vec<IpAddr>,
}

/// A port of a service: one listener on the host, round robin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ingress {
    pub protocol: Protocol,
    /// `None`: all addresses, of both families.
    pub host_ip: Option<IpAddr>,
    pub host_port: u16,
    /// In the tasks' containers.
    pub target_port: u16,
    /// Network id and address of each task that takes new connections.
    pub ready: Vec<(String, IpAddr)>,
}

impl Ingress {
    /// What tells one from another.
    #[must_use]
    pub fn key(&self) -> (Protocol, Option<IpAddr>, u16) {
        (self.protocol, self.host_ip, self.host_port)
    }
}

impl Balance {
    /// Whether ports of services answer at an address of this host.
    #[must_use]
    pub fn answers_at(&self, address: IpAddr) -> bool {
        let closed = |gates: &Gates| {
            (gates.first..=gates.last).contains(&address) && !gates.open.contains(&address)
        };
        !self.gates.as_ref().is_some_and(closed)
    }

    /// The virtual addresses in a network.
    pub fn vips(&self, network: &str) -> impl Iterator<Item = IpAddr> {
        let services = self.networks.get(network).into_iter().flat_map(|it| &it.services);
        services.filter_map(|service| service.vip)
    }
}
