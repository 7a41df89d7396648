//! Routes, in any table.

use std::net::IpAddr;

use super::attributes::{attribute, ip, u8_at, u32_at};
use super::message::{NLM_F_CREATE, NLM_F_REPLACE, Request};
use super::{AF_INET, AF_INET6, Netlink, NetlinkError, family_of, octets};
use crate::prefix::Prefix;

const RTM_NEWROUTE: u16 = 24;
const RTM_DELROUTE: u16 = 25;
const RTM_GETROUTE: u16 = 26;

// Attributes of a route (linux/rtnetlink.h).
const RTA_DST: u16 = 1;
const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;
const RTA_PRIORITY: u16 = 6;
const RTA_PREFSRC: u16 = 7;
const RTA_TABLE: u16 = 15;
/// The gateway is reachable over the device though no route says so.
const RTNH_F_ONLINK: u32 = 4;
/// Who made the route: an administrator, not the kernel.
const RTPROT_BOOT: u8 = 3;
const RT_SCOPE_UNIVERSE: u8 = 0;
const RT_SCOPE_LINK: u8 = 253;
const RT_SCOPE_HOST: u8 = 254;
const RT_SCOPE_NOWHERE: u8 = 255;

/// Tables that every namespace has.
pub const TABLE_DEFAULT: u32 = 253;
pub const TABLE_MAIN: u32 = 254;
pub const TABLE_LOCAL: u32 = 255;

/// What becomes of a packet; the numbers are `RTN_*` (linux/rtnetlink.h).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum RouteKind {
    #[default]
    Unicast = 1,
    /// It is for this namespace.
    Local = 2,
    /// Lost without a word.
    Blackhole = 6,
    /// Refused: there is no such place.
    Unreachable = 7,
    /// Refused: not allowed.
    Prohibit = 8,
    /// Not for this table to say: the next rule decides.
    Throw = 9,
}

/// A route to be made, or found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// Network that it leads to.
    pub to: Prefix,
    pub kind: RouteKind,
    pub table: u32,
    /// Index of the device it leaves by.
    pub device: Option<u32>,
    pub gateway: Option<IpAddr>,
    /// Trust that the gateway is on the device's link.
    pub on_link: bool,
    /// Address that packets of this namespace have.
    pub source: Option<IpAddr>,
    /// Among routes to one network the lowest number wins.
    pub metric: Option<u32>,
}

impl Route {
    /// A route in the main table that says nothing but where it leads.
    #[must_use]
    pub fn to(to: Prefix) -> Self {
        Self {
            to,
            kind: RouteKind::Unicast,
            table: TABLE_MAIN,
            device: None,
            gateway: None,
            on_link: false,
            source: None,
            metric: None,
        }
    }
}

impl std::fmt::Display for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} in table {}", self.to, self.table)
    }
}

fn header(route: &Route, scope: u8, flags: u32) -> [u8; 12] {
    // The table's number is in an attribute, which has room for it.
    let family = family_of(route.to.address);
    let mut bytes = [0; 12];
    bytes[..8].copy_from_slice(&[
        family,
        route.to.length,
        0,
        0,
        0,
        RTPROT_BOOT,
        scope,
        route.kind as u8,
    ]);
    bytes[8..].copy_from_slice(&flags.to_ne_bytes());
    bytes
}

fn attributes_of(request: Request, route: &Route) -> Request {
    let request = if route.to.length == 0 {
        request
    } else {
        request.bytes(RTA_DST, &octets(route.to.address))
    };
    request
        .number(RTA_TABLE, route.table)
        .maybe(route.device, |request, index| request.number(RTA_OIF, index))
        .maybe(route.gateway, |request, gateway| request.bytes(RTA_GATEWAY, &octets(gateway)))
        .maybe(route.source, |request, source| request.bytes(RTA_PREFSRC, &octets(source)))
        .maybe(route.metric, |request, metric| request.number(RTA_PRIORITY, metric))
}

/// Makes a route; one to the same network with the same metric is replaced.
#[must_use]
pub fn replace(route: &Route) -> Request {
    let scope = match (route.kind, route.gateway) {
        // Only IPv4 has scopes; IPv6 ignores them.
        (RouteKind::Local, _) => RT_SCOPE_HOST,
        (RouteKind::Unicast, None) => RT_SCOPE_LINK,
        _ => RT_SCOPE_UNIVERSE,
    };
    let flags = if route.on_link { RTNH_F_ONLINK } else { 0 };
    let what = format!("make the route to {route}");
    let request = Request::new(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, what)
        .fixed(&header(route, scope, flags));
    attributes_of(request, route)
}

/// Deletes a route; `ESRCH` when there is none.
#[must_use]
pub fn delete(route: &Route) -> Request {
    let what = format!("delete the route to {route}");
    let request = Request::new(RTM_DELROUTE, 0, what).fixed(&header(route, RT_SCOPE_NOWHERE, 0));
    attributes_of(request, route)
}

/// All routes of the namespace, of both families, as far as they are of a kind in
/// [`RouteKind`].
///
/// # Errors
/// The kernel's refusal.
pub fn list(netlink: &Netlink) -> Result<Vec<Route>, NetlinkError> {
    let mut routes = Vec::new();
    for family in [AF_INET, AF_INET6] {
        let mut header = [0; 12];
        header[0] = family;
        let request = Request::new(RTM_GETROUTE, 0, "list the routes".into()).fixed(&header);
        routes.extend(netlink.dump(&request, parse)?);
    }
    Ok(routes)
}

fn parse(body: &[u8]) -> Option<Route> {
    let rest = body.get(12..)?;
    let any = match u8_at(body, 0)? {
        AF_INET => IpAddr::from([0; 4]),
        AF_INET6 => IpAddr::from([0_u8; 16]),
        _ => return None,
    };
    let kind = match u8_at(body, 7)? {
        1 => RouteKind::Unicast,
        2 => RouteKind::Local,
        6 => RouteKind::Blackhole,
        7 => RouteKind::Unreachable,
        8 => RouteKind::Prohibit,
        9 => RouteKind::Throw,
        _ => return None,
    };
    let number = |kind| attribute(rest, kind).and_then(|value| u32_at(value, 0));
    let address = |kind| attribute(rest, kind).and_then(ip);
    Some(Route {
        to: Prefix::new(address(RTA_DST).unwrap_or(any), u8_at(body, 1)?)?,
        kind,
        table: number(RTA_TABLE).unwrap_or_else(|| u32::from(body[4])),
        device: number(RTA_OIF),
        gateway: address(RTA_GATEWAY),
        on_link: u32_at(body, 8)? & RTNH_F_ONLINK != 0,
        source: address(RTA_PREFSRC),
        metric: number(RTA_PRIORITY),
    })
}
