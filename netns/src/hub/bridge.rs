//! Bridges: one for each network.

use rustix::io::Errno;

use super::error::HubError;
use super::set_up::{Hub, Ipv6, everything};
use crate::netlink::link::{self, Device, Ipv4Setting};
use crate::netlink::route::{self, Route, RouteKind};
use crate::netlink::rule::{self, Action, Family, Rule};
use crate::netlink::{Mac, Request, address};
use crate::prefix::Prefix;
use crate::protocol::Network;

/// Size of packets when a network asks for none.
pub(super) const MTU_DEFAULT: u32 = 1500;

/// What names of bridges begin with.
const BRIDGE: &str = "br-";

const RULE_OUT: u32 = 100;
const RULE_LOST: u32 = 101;

/// A bridge's table of routes is this and the bridge's index.
pub(super) const TABLES: u32 = 1000;

/// A route of this metric is the last resort: should the way out vanish, as it does when the
/// helper is killed, packets must not fall through to routes that are not theirs.
const METRIC_LAST: u32 = u32::MAX;

/// The name of a network's bridge, from the network's id.
#[must_use]
pub fn bridge_name(network: &str) -> String {
    let short: String = network.chars().take(12).collect();
    format!("{BRIDGE}{short}")
}

/// The other way round, as far as the name goes.
pub(super) fn network_of(bridge: &str) -> Option<&str> {
    bridge.strip_prefix(BRIDGE)
}

impl Hub {
    /// Makes a network's bridge, with the gateways' addresses and the routes, or makes what is
    /// missing of it. Returns its index.
    ///
    /// # Errors
    /// What the kernel refuses; a bridge that was not there before is not there afterwards.
    pub fn add_bridge(&self, network: &Network) -> Result<u32, HubError> {
        let subnets = subnets(network)?;
        if matches!(self.ipv6, Ipv6::Absent) && subnets.iter().any(|subnet| !subnet.0.is_v4()) {
            return Err(HubError::NoIpv6 { network: network.name.clone() });
        }
        let name = bridge_name(&network.id);
        let created =
            self.netlink.call(link::add_bridge(&name, mtu(network), bridge_mac(&network.id)));
        let is_new = match created {
            Ok(()) => true,
            Err(error) if error.is(Errno::EXIST) => false,
            Err(error) => return Err(error.into()),
        };
        let made = self.dress_bridge(network, &name, &subnets);
        if made.is_err() && is_new {
            // The first error says more than one about clearing up could.
            self.remove_bridge(&network.id).ok();
        }
        made
    }

    fn dress_bridge(
        &self,
        network: &Network,
        name: &str,
        subnets: &[(Prefix, Prefix)],
    ) -> Result<u32, HubError> {
        let index = link::get(&self.netlink, Device::Name(name))?.index;
        let device = Device::Index(index);
        let mut requests = vec![
            link::no_ipv6_addresses(device).or(&[Errno::AFNOSUPPORT]),
            link::set_ipv4(
                device,
                &[
                    (Ipv4Setting::Forwarding, 1),
                    // Sources are members' only; a rule says so as well, as the host's
                    // setting may make this a looser one.
                    (Ipv4Setting::RpFilter, 1),
                    // Names are asked for at 127.0.0.11.
                    (Ipv4Setting::RouteLocalnet, 1),
                    (Ipv4Setting::AcceptRedirects, 0),
                    (Ipv4Setting::SendRedirects, 0),
                ],
            ),
            link::up(device),
        ];
        requests.extend(subnets.iter().map(|(_, gateway)| address::add(index, *gateway)));
        for family in Family::BOTH {
            // Also for a family that the network does not have: a member may send anything.
            if family == Family::V4 || !matches!(self.ipv6, Ipv6::Absent) {
                requests.extend(self.routing(network, name, index, subnets, family));
            }
        }
        self.netlink.call_all(&requests)?;
        Ok(index)
    }

    fn routing(
        &self,
        network: &Network,
        name: &str,
        index: u32,
        subnets: &[(Prefix, Prefix)],
        family: Family,
    ) -> Vec<Request> {
        let table = TABLES + index;
        let nowhere =
            |kind, to, metric| route::replace(&Route { kind, table, metric, ..Route::to(to) });
        let add = |rule: Rule| rule::add(&rule.input(name)).or(&[Errno::EXIST]);
        let mut requests = vec![add(Rule::new(family, RULE_LOST, Action::Blackhole))];
        let subnets: Vec<_> = subnets
            .iter()
            .map(|(subnet, _)| *subnet)
            .filter(|subnet| subnet.is_v4() == (family == Family::V4))
            .collect();
        if !subnets.is_empty() {
            // While a helper that was killed is replaced there is no way out. Nothing is said then:
            // a container asks again, and the next helper hears it.
            let last = if network.internal { RouteKind::Unreachable } else { RouteKind::Blackhole };
            requests.push(nowhere(last, everything(family), Some(METRIC_LAST)));
            if !network.internal {
                requests.push(route::replace(&self.way_out(family, table)));
            }
        }
        for subnet in subnets {
            requests.push(if network.talk {
                let device = Some(index);
                route::replace(&Route { device, table, ..Route::to(subnet) })
            } else {
                // Members must not reach each other by way of the gateway either.
                nowhere(RouteKind::Unreachable, subnet, None)
            });
            let rule = Rule::new(family, RULE_OUT, Action::Table(table));
            requests.push(add(Rule { from: Some(subnet), ..rule }));
        }
        requests
    }

    /// Removes the bridge of the network with this id (of which the first 12 digits will do),
    /// and its rules and routes, as far as there are any.
    ///
    /// # Errors
    /// The first refusal; the rest is removed all the same.
    pub fn remove_bridge(&self, network: &str) -> Result<(), HubError> {
        let name = bridge_name(network);
        // Routes over the bridge go with it; those to nowhere are found by the rules.
        let mut requests = vec![link::delete(Device::Name(&name)).or(&[Errno::NODEV])];
        let routes = route::list(&self.netlink)?;
        for family in Family::BOTH {
            if family == Family::V6 && matches!(self.ipv6, Ipv6::Absent) {
                continue;
            }
            let mut tables = Vec::new();
            for rule in rule::list(&self.netlink, family)? {
                if rule.input.as_deref() != Some(name.as_str()) {
                    continue;
                }
                if let Action::Table(table) = rule.action {
                    tables.push(table);
                }
                requests.push(rule::delete(&rule).or(&[Errno::NOENT]));
            }
            let theirs = |found: &&Route| {
                tables.contains(&found.table) && found.to.is_v4() == (family == Family::V4)
            };
            let delete = |found: &Route| route::delete(found).or(&[Errno::SRCH]);
            requests.extend(routes.iter().filter(theirs).map(delete));
        }
        Ok(self.netlink.call_all(&requests)?)
    }
}

/// The subnets of a network, each with the address of its gateway in it.
fn subnets(network: &Network) -> Result<Vec<(Prefix, Prefix)>, HubError> {
    network
        .subnets
        .iter()
        .map(|subnet| {
            let prefix = Prefix::new(subnet.address, subnet.prefix).map(|it| it.network());
            let inside = prefix.filter(|prefix| prefix.contains(subnet.gateway));
            let pair = inside.map(|prefix| (prefix, Prefix { address: subnet.gateway, ..prefix }));
            pair.ok_or_else(|| HubError::Subnet {
                network: network.name.clone(),
                address: subnet.address,
                prefix: subnet.prefix,
                gateway: subnet.gateway,
            })
        })
        .collect()
}

pub(super) fn mtu(network: &Network) -> u32 {
    if network.mtu == 0 { MTU_DEFAULT } else { network.mtu }
}

/// An address that stays when ports come and go, unlike the one a bridge would choose: from
/// the network's id, by FNV-1a.
#[must_use]
pub fn bridge_mac(network: &str) -> Mac {
    let hash = network
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let [a, b, c, d] = hash.to_be_bytes();
    [0x02, 0x42, a, b, c, d]
}
