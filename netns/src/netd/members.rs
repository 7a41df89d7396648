//! Who is connected to which network, with which addresses: what decides over each packet.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::flow::{Verdict, loopback};
use crate::prefix::Prefix;
use crate::protocol::{Connected, HOST_GATEWAY, Network, Subnet};
use crate::wire::Unreachable;

/// An endpoint as others see it.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    /// Index of the client whose it is.
    pub(crate) client: usize,
    pub(crate) network: String,
    pub(crate) got: Connected,
    pub(crate) priority: i32,
}

/// Networks that somebody is connected to, and by whom.
#[derive(Debug, Default)]
pub(crate) struct Members {
    pub(crate) networks: HashMap<String, Network>,
    endpoints: Vec<Endpoint>,
    by_address: HashMap<IpAddr, usize>,
}

impl Members {
    pub(crate) fn add(&mut self, network: &Network, endpoint: Endpoint) {
        self.networks.entry(network.id.clone()).or_insert_with(|| network.clone());
        self.endpoints.push(endpoint);
        self.index();
    }

    /// Takes an endpoint out, and with the last of a network the network.
    pub(crate) fn remove(
        &mut self,
        client: usize,
        network: &str,
    ) -> Option<(Endpoint, Option<Network>)> {
        let is_it = |endpoint: &Endpoint| endpoint.client == client && endpoint.network == network;
        let index = self.endpoints.iter().position(is_it)?;
        let endpoint = self.endpoints.remove(index);
        let is_last = !self.endpoints.iter().any(|other| other.network == network);
        let network = is_last.then(|| self.networks.remove(network)).flatten();
        self.index();
        Some((endpoint, network))
    }

    fn index(&mut self) {
        self.by_address.clear();
        for (index, endpoint) in self.endpoints.iter().enumerate() {
            for address in addresses(&endpoint.got) {
                self.by_address.insert(address, index);
            }
        }
    }

    /// All endpoints of a client.
    pub(crate) fn of(&self, client: usize) -> impl Iterator<Item = &Endpoint> {
        self.endpoints.iter().filter(move |endpoint| endpoint.client == client)
    }

    /// All endpoints in a network.
    pub(crate) fn inside<'a>(&'a self, network: &'a str) -> impl Iterator<Item = &'a Endpoint> {
        self.endpoints.iter().filter(move |endpoint| endpoint.network == network)
    }

    pub(crate) fn at(&self, address: IpAddr) -> Option<&Endpoint> {
        self.by_address.get(&address).map(|&index| &self.endpoints[index])
    }

    /// The endpoint through which a client's ports and its way out go: of networks with a way
    /// out the one with the highest priority, the first by name among equals.
    pub(crate) fn gateway(&self, client: usize) -> Option<&Endpoint> {
        let has_way_out = |endpoint: &&Endpoint| {
            self.networks.get(&endpoint.network).is_some_and(|n| !n.internal)
        };
        self.of(client).filter(has_way_out).max_by(|a, b| {
            let name = |endpoint: &Endpoint| {
                self.networks.get(&endpoint.network).map(|network| network.name.as_str())
            };
            a.priority.cmp(&b.priority).then_with(|| name(b).cmp(&name(a)))
        })
    }

    /// Where members of networks with a way out see the host.
    pub(crate) fn gateways(&self) -> Vec<IpAddr> {
        let open = self.networks.values().filter(|network| !network.internal);
        open.flat_map(|network| &network.subnets).map(|subnet| subnet.gateway).collect()
    }

    /// Whether an address belongs to one of the networks.
    pub(crate) fn owns(&self, address: IpAddr) -> bool {
        self.networks.values().flat_map(|network| &network.subnets).any(|s| contains(s, address))
    }

    /// What may be done with a packet from `source` to `destination`. `host_gateway` tells
    /// whether a client may reach the host's own loopback.
    pub(crate) fn verdict(
        &self,
        source: IpAddr,
        destination: IpAddr,
        host_gateway: impl Fn(usize) -> bool,
    ) -> Verdict {
        let Some(endpoint) = self.at(source) else { return Verdict::Drop };
        let internal = self.networks.get(&endpoint.network).is_none_or(|n| n.internal);
        if internal || is_nobody(destination) {
            return Verdict::Drop;
        }
        if destination == HOST_GATEWAY {
            return match host_gateway(endpoint.client) {
                true => Verdict::Pass(loopback(destination)),
                false => Verdict::Refuse(Unreachable::Prohibited),
            };
        }
        // Members of other networks: isolation.
        if self.owns(destination) {
            return Verdict::Refuse(Unreachable::Prohibited);
        }
        Verdict::Pass(destination)
    }
}

/// Addresses that are no single host beyond this one.
fn is_nobody(address: IpAddr) -> bool {
    let v4 = matches!(address, IpAddr::V4(address) if address.is_broadcast());
    let link = matches!(address, IpAddr::V6(address) if address.is_unicast_link_local());
    v4 || link || address.is_multicast() || address.is_unspecified() || address.is_loopback()
}

pub(crate) fn addresses(got: &Connected) -> impl Iterator<Item = IpAddr> {
    got.ip.map(IpAddr::V4).into_iter().chain(got.ip6.map(IpAddr::V6))
}

fn contains(subnet: &Subnet, address: IpAddr) -> bool {
    Prefix::new(subnet.address, subnet.prefix).is_some_and(|prefix| prefix.contains(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(name: &str, subnet: &str, internal: bool) -> Network {
        let (address, prefix) = subnet.split_once('/').expect("a prefix");
        let address: IpAddr = address.parse().expect("an address");
        let subnet = Subnet {
            address,
            prefix: prefix.parse().expect("a number"),
            gateway: address,
            range: None,
            reserved: Vec::new(),
        };
        let (id, name) = (name.to_owned(), name.to_owned());
        Network { id, name, subnets: vec![subnet], internal, ..Network::default() }
    }

    fn members() -> Members {
        let mut members = Members::default();
        let endpoint = |client, network: &str, ip: &str, priority| Endpoint {
            client,
            network: network.to_owned(),
            got: Connected { ip: ip.parse().ok(), ..Connected::default() },
            priority,
        };
        members.add(&network("a", "172.18.0.0/16", false), endpoint(1, "a", "172.18.0.2", 0));
        members.add(&network("b", "172.19.0.0/16", false), endpoint(1, "b", "172.19.0.2", 0));
        members.add(&network("c", "172.20.0.0/16", true), endpoint(1, "c", "172.20.0.2", 9));
        members.add(&network("b", "172.19.0.0/16", false), endpoint(2, "b", "172.19.0.3", 0));
        members
    }

    fn verdict(source: &str, destination: &str) -> Verdict {
        let at = |text: &str| text.parse().expect("an address");
        members().verdict(at(source), at(destination), |client| client == 2)
    }

    #[test]
    fn each_packet_gets_its_verdict() {
        let outside = "198.51.100.7".parse().expect("an address");
        assert_eq!(verdict("172.18.0.2", "198.51.100.7"), Verdict::Pass(outside));
        assert_eq!(verdict("172.18.0.9", "198.51.100.7"), Verdict::Drop, "nobody has it");
        assert_eq!(verdict("172.20.0.2", "198.51.100.7"), Verdict::Drop, "internal");
        let prohibited = Verdict::Refuse(Unreachable::Prohibited);
        assert_eq!(verdict("172.18.0.2", "172.19.0.3"), prohibited, "another network");
        assert_eq!(verdict("172.18.0.2", "169.254.1.2"), prohibited);
        let host = Verdict::Pass("127.0.0.1".parse().expect("an address"));
        assert_eq!(verdict("172.19.0.3", "169.254.1.2"), host, "asked for");
        for nobody in ["127.0.0.1", "224.0.0.1", "255.255.255.255", "0.0.0.0"] {
            assert_eq!(verdict("172.18.0.2", nobody), Verdict::Drop, "{nobody}");
        }
    }

    #[test]
    fn the_way_out_is_by_priority_then_name_and_never_internal() {
        let mut members = members();
        assert_eq!(members.gateway(1).map(|e| e.network.as_str()), Some("a"));
        members.endpoints[1].priority = 1;
        assert_eq!(members.gateway(1).map(|e| e.network.as_str()), Some("b"));
    }

    #[test]
    fn the_last_to_leave_takes_the_network_along() {
        let mut members = members();
        assert!(members.remove(1, "b").expect("a member").1.is_none());
        assert!(members.remove(2, "b").expect("a member").1.is_some());
        assert!(members.at("172.19.0.3".parse().expect("an address")).is_none());
        assert!(members.remove(2, "b").is_none());
    }
}
