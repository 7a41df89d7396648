//! Networks and host-mode ports of a task's container.

use coracle_runtime::model::{EndpointIpam, EndpointSettings, PortBinding, PortMap};
use coracle_words::port::PortKey;

use super::Facts;
use crate::model::{Node, PortConfig, PublishMode, Task};

type Networks = Vec<(String, EndpointSettings)>;

/// Networks that are modes: they have no addresses of a task's.
const MODES: [&str; 3] = ["bridge", "host", "none"];

/// Where a task without networks is.
const BRIDGE: &str = "bridge";

/// The network mode, and the networks to join, the first being that of the mode. The names by which a service is
/// found are served elsewhere: an endpoint has no aliases.
pub(super) fn networks(task: &Task, facts: &Facts) -> (String, Networks) {
    let mut all = Networks::new();
    for attachment in &task.networks_attachments {
        let name = facts.networks.get(&attachment.network).unwrap_or(&attachment.network);
        if MODES.contains(&name.as_str()) {
            all.push((name.clone(), EndpointSettings::default()));
            continue;
        }
        let address = |wanted: fn(&str) -> bool| {
            let bare = |text: &String| text.split('/').next().unwrap_or_default().to_owned();
            attachment.addresses.iter().map(bare).find(|text| wanted(text)).unwrap_or_default()
        };
        let ipam = EndpointIpam {
            ipv4_address: address(|text| text.contains('.')),
            ipv6_address: address(|text| text.contains(':')),
            link_local_ips: Vec::new(),
        };
        let ipam_config = (ipam != EndpointIpam::default()).then_some(ipam);
        let wish = EndpointSettings { ipam_config, ..EndpointSettings::default() };
        all.push((attachment.network.clone(), wish));
    }
    if all.is_empty() {
        all.push((BRIDGE.to_owned(), EndpointSettings::default()));
    }
    let mode = all.first().map_or_else(|| BRIDGE.to_owned(), |(name, _)| name.clone());
    (mode, all)
}

/// The ports that the task itself publishes.
pub(super) fn host_ports(task: &Task) -> impl Iterator<Item = &PortConfig> {
    task.own.ports.iter().filter(|port| port.mode() == PublishMode::Host)
}

pub(crate) fn key(port: &PortConfig) -> PortKey {
    let protocol = if port.protocol.is_empty() { "tcp" } else { &port.protocol };
    PortKey::new(port.target_port, protocol)
}

/// A rehearsal node publishes on its own address; so does the machine's own node when it is not alone.
pub(super) fn bindings(task: &Task, node: &Node, facts: &Facts) -> PortMap {
    let host_ip = if node.own.number > 0 || facts.shared_machine {
        node.status.addr.clone()
    } else {
        String::new()
    };
    let mut all = PortMap::new();
    for port in host_ports(task) {
        let host_port = match port.published_port {
            0 => String::new(),
            number => number.to_string(),
        };
        let binding = PortBinding { host_ip: host_ip.clone(), host_port };
        all.entry(key(port)).or_default().get_or_insert_default().push(binding);
    }
    all
}
