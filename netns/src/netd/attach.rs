//! Endpoints made and unmade: addresses, devices, the default route.

use std::net::IpAddr;
use std::os::fd::AsFd;

use super::members::Endpoint;
use super::run::Netd;
use crate::addresses::{self, Wish};
use crate::hub::{self, Acquaintance, Found, WayOut};
use crate::netlink::{Mac, Netlink};
use crate::prefix::Prefix;
use crate::protocol::{Connect, Connected, Network};

impl Netd {
    /// Makes an endpoint for a client, or finds the one it has.
    pub(crate) fn attach(&mut self, index: usize, connect: &Connect) -> Result<Connected, String> {
        let network = &connect.network;
        let joined = self.clients.get(index).and_then(|client| client.joined.as_ref());
        let joined = joined.ok_or("join first")?;
        if !self.members.networks.contains_key(&network.id) {
            self.clear_away(network);
        }
        self.hub.add_bridge(network).map_err(|error| error.describe())?;
        let container = &joined.netlink;
        if connect.again {
            let found = self.hub.find_endpoint(network, container);
            if let Some(found) = found.map_err(|error| error.describe())? {
                let got = as_found(network, found);
                if let Some(member) = self.acquaintance(index, &got) {
                    let gateways = network.subnets.iter().map(|subnet| subnet.gateway);
                    hub::forget_others(&member, &gateways.collect::<Vec<_>>());
                }
                self.introduce(index, network, &got);
                return Ok(got);
            }
        }
        let made = self.make(network, connect, joined.namespace.as_fd(), container);
        if made.is_err() && self.members.inside(&network.id).next().is_none() {
            // The first error says more than one about clearing up could.
            self.hub.remove_bridge(&network.id).ok();
        }
        if let Ok(got) = &made {
            self.introduce(index, network, got);
        }
        made
    }

    /// Tells a new member of a network and the others of each other, and it of virtual addresses.
    fn introduce(&self, index: usize, network: &Network, got: &Connected) {
        let Some(newcomer) = self.acquaintance(index, got) else { return };
        if network.talk {
            let others = self.others(index, &network.id);
            if network.routed {
                hub::introduce_through(&network.id, &newcomer, &others);
            } else {
                hub::introduce(&newcomer, &others);
            }
        }
        let vips: Vec<IpAddr> = self.balancer.vips(&network.id).into_iter().collect();
        hub::tell_of_vips(&network.id, &vips, &[newcomer]);
    }

    /// Tells those who stay in a network that a member has left.
    pub(crate) fn part(&self, endpoint: &Endpoint) {
        let addresses: Vec<IpAddr> = super::members::addresses(&endpoint.got).collect();
        hub::part(&addresses, &self.others(endpoint.client, &endpoint.network));
    }

    fn acquaintance<'a>(&'a self, index: usize, got: &'a Connected) -> Option<Acquaintance<'a>> {
        Some(Acquaintance {
            container: &self.clients.get(index)?.joined.as_ref()?.netlink,
            interface: &got.interface,
            mac: got.mac,
            addresses: super::members::addresses(got).collect(),
        })
    }

    /// The members of a network.
    pub(crate) fn acquaintances<'a>(&'a self, network: &'a str) -> Vec<Acquaintance<'a>> {
        let members = self.members.inside(network);
        members.filter_map(|member| self.acquaintance(member.client, &member.got)).collect()
    }

    /// The members of a network but one.
    fn others<'a>(&'a self, index: usize, network: &'a str) -> Vec<Acquaintance<'a>> {
        let others = self.members.inside(network).filter(|other| other.client != index);
        others.filter_map(|other| self.acquaintance(other.client, &other.got)).collect()
    }

    fn make(
        &self,
        network: &Network,
        connect: &Connect,
        namespace: std::os::fd::BorrowedFd<'_>,
        container: &Netlink,
    ) -> Result<Connected, String> {
        let (reserved, mut taken) = self.balancer.reserved(&network.id);
        let members = self.members.inside(&network.id);
        taken.extend(members.flat_map(|endpoint| super::members::addresses(&endpoint.got)));
        let wish = Wish {
            ip: connect.ip,
            ip6: connect.ip6,
            last_ip: connect.last_ip,
            last_ip6: connect.last_ip6,
        };
        let picked = addresses::pick(network, &wish, &taken, &reserved)
            .map_err(|error| error.to_string())?;
        let interface = match &connect.interface {
            Some(name) => name.clone(),
            None => hub::free_interface(container).map_err(|error| error.describe())?,
        };
        let mut got = Connected {
            endpoint: random_id()?,
            interface,
            mac: [0; 6],
            ..as_addressed(network, &picked)
        };
        got.mac = match (connect.mac, got.ip) {
            (Some(mac), _) => mac,
            (None, Some(ip)) => mac_of(ip),
            (None, None) => random_mac()?,
        };
        let endpoint = hub::Endpoint {
            id: &got.endpoint,
            network,
            namespace,
            container,
            interface: &got.interface,
            mac: got.mac,
            addresses: &picked,
        };
        self.hub.add_endpoint(&endpoint).map_err(|error| error.describe())?;
        Ok(got)
    }

    /// Removes the bridges of networks that nobody is on any more, and those in the subnets of a new one: its subnets are
    /// its own, so they are of networks that were removed, whose last containers have not gone altogether. Answers to
    /// the new one's would go there.
    fn clear_away(&self, new: &Network) {
        // What cannot be listed or removed now is met again by the next new network.
        let is_known = |one: &String| self.members.networks.keys().any(|id| id.starts_with(one));
        let mut away = self.hub.idle_bridges().unwrap_or_default();
        away.retain(|idle| !is_known(idle) && !new.id.starts_with(idle));
        away.extend(self.hub.bridges_in_the_way(new).unwrap_or_default());
        for former in away {
            self.hub.remove_bridge(&former).ok();
        }
    }

    /// Takes an endpoint down, and its bridge with the last one. What cannot be removed now is
    /// gone with its container's namespace.
    pub(crate) fn detach(&mut self, index: usize, endpoint: &Endpoint, network: Option<&Network>) {
        let joined = self.clients.get(index).and_then(|client| client.joined.as_ref());
        if let (Some(joined), Some(network)) =
            (joined, network.or(self.members.networks.get(&endpoint.network)))
        {
            let addresses = prefixes(&endpoint.got);
            let known = hub::Endpoint {
                id: &endpoint.got.endpoint,
                network,
                namespace: joined.namespace.as_fd(),
                container: &joined.netlink,
                interface: &endpoint.got.interface,
                mac: endpoint.got.mac,
                addresses: &addresses,
            };
            self.hub.remove_endpoint(&known).ok();
        }
        if let Some(network) = network {
            self.hub.remove_bridge(&network.id).ok();
        }
    }

    /// Points a client's default route at the network that is to have it.
    pub(crate) fn lead_out(&self, index: usize) -> Result<(), String> {
        let joined = self.clients.get(index).and_then(|client| client.joined.as_ref());
        let joined = joined.ok_or("join first")?;
        let gateway = self.members.gateway(index);
        let gateways: Vec<IpAddr> = gateway
            .iter()
            .flat_map(|endpoint| {
                let got = &endpoint.got;
                got.gateway.map(IpAddr::V4).into_iter().chain(got.gateway6.map(IpAddr::V6))
            })
            .collect();
        let way = gateway
            .map(|endpoint| WayOut { interface: &endpoint.got.interface, gateways: &gateways });
        hub::lead_out(&joined.netlink, way).map_err(|error| error.describe())
    }
}

/// An endpoint that was there before us.
fn as_found(network: &Network, found: Found) -> Connected {
    let Found { endpoint, interface, mac, addresses } = found;
    Connected { endpoint, interface, mac, ..as_addressed(network, &addresses) }
}

/// The addresses of an endpoint, with the gateways of its network.
fn as_addressed(network: &Network, addresses: &[Prefix]) -> Connected {
    let mut got = Connected::default();
    for prefix in addresses {
        match prefix.address {
            IpAddr::V4(ip) => (got.ip, got.prefix) = (Some(ip), prefix.length),
            IpAddr::V6(ip) => (got.ip6, got.prefix6) = (Some(ip), prefix.length),
        }
    }
    for prefix in addresses.iter().filter(|_| !network.internal) {
        match network.gateway_for(prefix.address) {
            Some(IpAddr::V4(ip)) => got.gateway = Some(ip),
            Some(IpAddr::V6(ip)) => got.gateway6 = Some(ip),
            None => {}
        }
    }
    got
}

fn prefixes(got: &Connected) -> Vec<Prefix> {
    let v4 = got.ip.map(|ip| Prefix { address: ip.into(), length: got.prefix });
    let v6 = got.ip6.map(|ip| Prefix { address: ip.into(), length: got.prefix6 });
    v4.into_iter().chain(v6).collect()
}

fn random_id() -> Result<String, String> {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| format!("get random bytes: {error}"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The address's own: who had the IP address from somebody before needs not ask again.
fn mac_of(ip: std::net::Ipv4Addr) -> Mac {
    let [a, b, c, d] = ip.octets();
    [0x02, 0x42, a, b, c, d]
}

/// Locally administered, for one device.
fn random_mac() -> Result<Mac, String> {
    let mut mac = [0u8; 6];
    getrandom::fill(&mut mac).map_err(|error| format!("get random bytes: {error}"))?;
    mac[0] = mac[0] & 0xfc | 0x02;
    Ok(mac)
}
