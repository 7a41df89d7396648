//! Network devices: bridges, settings, lists.

use super::attributes::{attribute, attributes, text, u32_at};
use super::message::{NLM_F_CREATE, NLM_F_EXCL, Request};
use super::{AF_INET, AF_INET6, Mac, Netlink, NetlinkError};

pub(super) const RTM_NEWLINK: u16 = 16;
const RTM_DELLINK: u16 = 17;
const RTM_GETLINK: u16 = 18;

// Attributes of a device (linux/if_link.h).
pub(super) const IFLA_ADDRESS: u16 = 1;
pub(super) const IFLA_IFNAME: u16 = 3;
pub(super) const IFLA_MTU: u16 = 4;
const IFLA_LINK: u16 = 5;
pub(super) const IFLA_MASTER: u16 = 10;
pub(super) const IFLA_LINKINFO: u16 = 18;
const IFLA_IFALIAS: u16 = 20;
const IFLA_AF_SPEC: u16 = 26;
const IFLA_LINK_NETNSID: u16 = 37;
pub(super) const IFLA_INFO_KIND: u16 = 1;
pub(super) const IFLA_INFO_DATA: u16 = 2;
const IFLA_INFO_SLAVE_KIND: u16 = 4;
const IFLA_INFO_SLAVE_DATA: u16 = 5;
const IFLA_INET_CONF: u16 = 1;
const IFLA_INET6_ADDR_GEN_MODE: u16 = 8;
const IFLA_BRPORT_STATE: u16 = 1;
const IFLA_BRPORT_LEARNING: u16 = 8;
const IFLA_BRPORT_ISOLATED: u16 = 33;

/// Nothing comes in or goes out (linux/if_bridge.h).
const BR_STATE_DISABLED: u8 = 0;

/// Make no IPv6 address by yourself, not even a link-local one.
const IN6_ADDR_GEN_MODE_NONE: u8 = 1;

// Flags of a device (netdevice(7)).
const IFF_UP: u32 = 0x1;
const IFF_NOARP: u32 = 0x80;

/// A setting of one device that `/proc/sys/net/ipv4/conf` has too; the numbers are
/// `IPV4_DEVCONF_*` (linux/ip.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum Ipv4Setting {
    Forwarding = 1,
    AcceptRedirects = 4,
    SendRedirects = 6,
    RpFilter = 8,
    ArpIgnore = 19,
    AcceptLocal = 23,
    RouteLocalnet = 26,
}

/// A device as the kernel lists it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Link {
    pub index: u32,
    pub name: String,
    pub mac: Option<Mac>,
    pub mtu: u32,
    pub up: bool,
    /// `bridge`, `veth`, ….
    pub kind: Option<String>,
    /// The bridge it is a port of.
    pub master: Option<u32>,
    /// For a veth: the index of the other end, in that end's namespace.
    pub peer: Option<u32>,
    /// Whether that end is in another namespace.
    pub peer_elsewhere: bool,
    /// Free text.
    pub alias: Option<String>,
}

/// How a request names a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device<'a> {
    Index(u32),
    Name(&'a str),
}

impl std::fmt::Display for Device<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Index(index) => write!(f, "{index}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// `struct ifinfomsg`.
pub(super) fn header(index: u32, flags: u32, changed: u32) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[4..8].copy_from_slice(&index.to_ne_bytes());
    bytes[8..12].copy_from_slice(&flags.to_ne_bytes());
    bytes[12..16].copy_from_slice(&changed.to_ne_bytes());
    bytes
}

/// The flags of a device to be made, and which of them count.
pub(super) fn flags(up: bool, no_arp: bool) -> (u32, u32) {
    let mut flags = 0;
    if up {
        flags |= IFF_UP;
    }
    if no_arp {
        flags |= IFF_NOARP;
    }
    (flags, flags)
}

fn about(kind: u16, flags: u16, device: Device<'_>, what: String) -> Request {
    about_with(kind, flags, device, (0, 0), what)
}

fn about_with(
    kind: u16,
    flags: u16,
    device: Device<'_>,
    (device_flags, changed): (u32, u32),
    what: String,
) -> Request {
    let request = Request::new(kind, flags, what);
    match device {
        Device::Index(index) => request.fixed(&header(index, device_flags, changed)),
        Device::Name(name) => {
            request.fixed(&header(0, device_flags, changed)).text(IFLA_IFNAME, name)
        }
    }
}

/// Makes a bridge that is down.
#[must_use]
pub fn add_bridge(name: &str, mtu: u32, mac: Mac) -> Request {
    Request::new(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, format!("create the bridge {name}"))
        .fixed(&header(0, 0, 0))
        .text(IFLA_IFNAME, name)
        .number(IFLA_MTU, mtu)
        .bytes(IFLA_ADDRESS, &mac)
        .nest(IFLA_LINKINFO, |info| info.text(IFLA_INFO_KIND, "bridge"))
}

/// Switches a device on.
#[must_use]
pub fn up(device: Device<'_>) -> Request {
    let what = format!("switch the device {device} on");
    about_with(RTM_NEWLINK, 0, device, (IFF_UP, IFF_UP), what)
}

/// Switches a device off.
#[must_use]
pub fn down(device: Device<'_>) -> Request {
    about_with(RTM_NEWLINK, 0, device, (0, IFF_UP), format!("switch the device {device} off"))
}

/// Gives a device, which must be down, another name.
#[must_use]
pub fn rename(index: u32, name: &str) -> Request {
    about(RTM_NEWLINK, 0, Device::Index(index), format!("name the device {index} {name}"))
        .text(IFLA_IFNAME, name)
}

/// Sets the largest packet of a device.
#[must_use]
pub fn set_mtu(device: Device<'_>, mtu: u32) -> Request {
    about(RTM_NEWLINK, 0, device, format!("set the MTU of {device} to {mtu}")).number(IFLA_MTU, mtu)
}

/// Writes free text, of at most 255 bytes, to a device, where [`list`] finds it again.
#[must_use]
pub fn set_alias(device: Device<'_>, alias: &str) -> Request {
    about(RTM_NEWLINK, 0, device, format!("label the device {device}"))
        .bytes(IFLA_IFALIAS, alias.as_bytes())
}

/// Has a port of a bridge talk to the bridge only, not to other such ports; or not.
#[must_use]
pub fn set_isolated(device: Device<'_>, isolated: bool) -> Request {
    let what = format!("set the isolation of the bridge port {device}");
    set_port(device, what, IFLA_BRPORT_ISOLATED, u8::from(isolated))
}

/// Has a port of a bridge take note of who sends from it, or not.
#[must_use]
pub fn set_learning(device: Device<'_>, learning: bool) -> Request {
    let what = format!("set the learning of the bridge port {device}");
    set_port(device, what, IFLA_BRPORT_LEARNING, u8::from(learning))
}

/// Cuts a port of a bridge off at once: to take it down waits for packets on their way.
#[must_use]
pub fn disable_port(device: Device<'_>) -> Request {
    set_port(
        device,
        format!("disable the bridge port {device}"),
        IFLA_BRPORT_STATE,
        BR_STATE_DISABLED,
    )
}

fn set_port(device: Device<'_>, what: String, attribute: u16, value: u8) -> Request {
    about(RTM_NEWLINK, 0, device, what).nest(IFLA_LINKINFO, |info| {
        info.text(IFLA_INFO_SLAVE_KIND, "bridge")
            .nest(IFLA_INFO_SLAVE_DATA, |port| port.bytes(attribute, &[value]))
    })
}

/// Changes IPv4 settings of a device.
#[must_use]
pub fn set_ipv4(device: Device<'_>, settings: &[(Ipv4Setting, u32)]) -> Request {
    let what = format!("change IPv4 settings of the device {device}");
    about(RTM_NEWLINK, 0, device, what).nest(IFLA_AF_SPEC, |families| {
        families.nest(AF_INET.into(), |inet| {
            inet.nest(IFLA_INET_CONF, |conf| {
                settings
                    .iter()
                    .fold(conf, |conf, (setting, value)| conf.number(*setting as u16, *value))
            })
        })
    })
}

/// Has a device that is down make no IPv6 address by itself when it goes up.
///
/// `EAFNOSUPPORT` on a kernel without IPv6.
#[must_use]
pub fn no_ipv6_addresses(device: Device<'_>) -> Request {
    let what = format!("keep IPv6 addresses off the device {device}");
    about(RTM_NEWLINK, 0, device, what).nest(IFLA_AF_SPEC, |families| {
        families.nest(AF_INET6.into(), |inet| {
            inet.bytes(IFLA_INET6_ADDR_GEN_MODE, &[IN6_ADDR_GEN_MODE_NONE])
        })
    })
}

/// Deletes a device; of a veth the other end goes with it.
#[must_use]
pub fn delete(device: Device<'_>) -> Request {
    about(RTM_DELLINK, 0, device, format!("delete the device {device}"))
}

/// Looks one device up; the error is ENODEV when there is none.
///
/// # Errors
/// The kernel's refusal.
pub fn get(netlink: &Netlink, device: Device<'_>) -> Result<Link, NetlinkError> {
    let request = about(RTM_GETLINK, 0, device, format!("look up the device {device}"));
    let what = request.what.clone();
    netlink.get(&request, parse)?.pop().ok_or(NetlinkError::NoAnswer { what })
}

/// All devices of the namespace.
///
/// # Errors
/// The kernel's refusal.
pub fn list(netlink: &Netlink) -> Result<Vec<Link>, NetlinkError> {
    let request = Request::new(RTM_GETLINK, 0, "list the devices".into()).fixed(&header(0, 0, 0));
    netlink.dump(&request, parse)
}

fn parse(body: &[u8]) -> Option<Link> {
    let mut link =
        Link { index: u32_at(body, 4)?, up: u32_at(body, 8)? & IFF_UP != 0, ..Link::default() };
    for (kind, value) in attributes(body.get(16..)?) {
        match kind {
            IFLA_IFNAME => link.name = text(value),
            IFLA_ADDRESS => link.mac = value.try_into().ok(),
            IFLA_MTU => link.mtu = u32_at(value, 0)?,
            IFLA_MASTER => link.master = u32_at(value, 0),
            IFLA_LINK => link.peer = u32_at(value, 0),
            IFLA_LINK_NETNSID => link.peer_elsewhere = true,
            IFLA_IFALIAS => link.alias = Some(text(value)),
            IFLA_LINKINFO => link.kind = attribute(value, IFLA_INFO_KIND).map(text),
            _ => {}
        }
    }
    Some(link)
}
