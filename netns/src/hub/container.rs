//! The container's side of an endpoint: addresses, routes, and the way to ask for names.

use std::net::{IpAddr, Ipv4Addr};

use rustix::io::Errno;

use super::endpoint::Endpoint;
use super::error::HubError;
use super::set_up::everything;
use crate::netlink::link::{self, Device, Ipv4Setting};
use crate::netlink::neighbour::{self, Neighbour};
use crate::netlink::route::{self, Route, TABLE_LOCAL};
use crate::netlink::rule::{self, Action, Family, Rule};
use crate::netlink::{Netlink, Request, address};
use crate::prefix::Prefix;

/// Where containers ask for names. Course files and configurations have it written in.
const NAMES: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 11);
const LOOPBACK_NET: Prefix = Prefix { address: IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)), length: 8 };

/// The first rules of a container that asks for names; the second has been at 0.
const RULE_GUARD: u32 = 0;
const RULE_LOCAL: u32 = 1;

/// Where a container's packets to the outside go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WayOut<'a> {
    /// Name of the device in the container.
    pub interface: &'a str,
    /// One of each family at most.
    pub gateways: &'a [IpAddr],
}

/// Points the default routes of a container's namespace at a network, or takes them away.
///
/// # Errors
/// What the kernel refuses.
pub fn lead_out(container: &Netlink, way: Option<WayOut<'_>>) -> Result<(), HubError> {
    let device = way
        .map(|way| link::get(container, Device::Name(way.interface)))
        .transpose()?
        .map(|link| link.index);
    let mut requests = Vec::new();
    for family in Family::BOTH {
        let default = Route::to(everything(family));
        let gateway = way.and_then(|way| {
            way.gateways.iter().copied().find(|ip| ip.is_ipv4() == (family == Family::V4))
        });
        requests.push(match gateway {
            Some(_) => route::replace(&Route { gateway, device, ..default }),
            // No such route, or no such family.
            None => {
                route::delete(&default).or(&[Errno::SRCH, Errno::AFNOSUPPORT, Errno::OPNOTSUPP])
            }
        });
    }
    Ok(container.call_all(&requests)?)
}

/// Dresses the device that the pair left in the container.
pub(super) fn dress(endpoint: &Endpoint<'_>) -> Result<(), HubError> {
    let container = endpoint.container;
    let index = link::get(container, Device::Name(endpoint.interface))?.index;
    let device = Device::Index(index);
    let mut requests = Vec::new();
    if !endpoint.addresses.iter().any(|address| !address.is_v4()) {
        requests.push(link::no_ipv6_addresses(device).or(&[Errno::AFNOSUPPORT]));
    }
    let names = names_route(endpoint, index);
    if names.is_some() {
        requests.extend(guards(endpoint.interface));
        requests.push(link::set_ipv4(device, &[(Ipv4Setting::RouteLocalnet, 1)]));
    }
    requests.push(link::up(device));
    requests.extend(endpoint.addresses.iter().map(|prefix| address::add(index, *prefix)));
    // Told, the container need not ask, nor believe a neighbour who answers for the gateway.
    let mac = super::bridge::bridge_mac(&endpoint.network.id);
    let gateway = |prefix: &Prefix| endpoint.network.gateway_for(prefix.address);
    requests.extend(
        (endpoint.addresses.iter().filter_map(gateway))
            .map(|address| neighbour::replace(&Neighbour { device: index, address, mac })),
    );
    requests.extend(names.map(|names| route::replace(&names)));
    Ok(container.call_all(&requests)?)
}

/// The route to where names are asked for, by way of the gateway. It stands beside the one to
/// all of 127.0.0.0/8, in the same table, and is the more exact. Members of networks without
/// names have it too: their host's resolver may be one that only we can ask.
fn names_route(endpoint: &Endpoint<'_>, index: u32) -> Option<Route> {
    let source = endpoint.addresses.iter().map(|prefix| prefix.address).find(IpAddr::is_ipv4)?;
    let gateway = endpoint.network.gateway_for(source)?;
    Some(Route {
        gateway: Some(gateway),
        device: Some(index),
        source: Some(source),
        table: TABLE_LOCAL,
        // Each network of a container has one.
        metric: Some(index),
        ..Route::to(Prefix::host(NAMES))
    })
}

/// With packets to 127.0.0.11 allowed on a device, neighbours could send to all of
/// 127.0.0.0/8; a rule before all others refuses that.
fn guards(interface: &str) -> [Request; 3] {
    let local = |priority| Rule::new(Family::V4, priority, Action::Table(TABLE_LOCAL));
    [
        rule::add(&guard(interface)).or(&[Errno::EXIST]),
        rule::add(&local(RULE_LOCAL)).or(&[Errno::EXIST]),
        rule::delete(&local(0)).or(&[Errno::NOENT]),
    ]
}

fn guard(interface: &str) -> Rule {
    let guard = Rule::new(Family::V4, RULE_GUARD, Action::Prohibit).input(interface);
    Rule { to: Some(LOOPBACK_NET), ..guard }
}

/// Takes away what does not go with the device.
pub(super) fn undress(container: &Netlink, interface: &str) -> Result<(), HubError> {
    Ok(container.call(rule::delete(&guard(interface)).or(&[Errno::NOENT]))?)
}
