//! Makes the hub's way out, and what holds for all its bridges.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::BorrowedFd;

use rustix::io::Errno;

use super::error::HubError;
use crate::netlink::link::{Device, Ipv4Setting};
use crate::netlink::neighbour::{self, Neighbour};
use crate::netlink::route::{self, Route, RouteKind, TABLE_DEFAULT, TABLE_MAIN};
use crate::netlink::rule::{self, Action, Family, Rule};
use crate::netlink::veth::{self, End};
use crate::netlink::{Mac, Netlink, NetlinkError, Request, address, link};
use crate::nft::{NftError, mark_transparent};
use crate::prefix::Prefix;

/// The device by which packets leave the hub; its other end, in the void, has the same name.
pub const WIRE: &str = "wire";

/// The hub's end of the wire: what the helper addresses its frames to.
pub const NEAR_MAC: Mac = [0x02, 0x42, 0x00, 0x00, 0x00, 0x01];

/// What the hub addresses its frames to. It is nobody's: the far device has another address,
/// so that the kernel of the void drops what the helper reads.
pub const FAR_MAC: Mac = [0x02, 0x42, 0x00, 0x00, 0x00, 0x02];

/// The largest packet that fits every network of the usual size; IPv6 has no router that
/// would cut a larger one.
pub const WIRE_MTU: usize = 1500;

/// The largest packet there is, for networks with more than the usual size.
const DEVICE_MTU: u32 = 65_535;

/// Next hops over the wire. Nobody has them; they stand for [`FAR_MAC`].
pub(super) const NEXT_HOP_V4: IpAddr = IpAddr::V4(Ipv4Addr::new(169, 254, 0, 1));
pub(super) const NEXT_HOP_V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1));

/// The near end's own address. Nothing is sent to it or from it; but the filter of sources,
/// where the host's setting has it on, lets nothing in by a device without any.
const WIRE_ADDRESS: Prefix =
    Prefix { address: IpAddr::V4(Ipv4Addr::new(169, 254, 0, 2)), length: 32 };

/// What a packet of a connection that has its socket is marked with.
const MARK: u32 = 1;

/// The table that takes every packet for the hub.
const TABLE_TAKE: u32 = 100;

const RULE_MARKED: u32 = 10;
const RULE_TO_MEMBERS: u32 = 20;
const RULE_TO_HUB: u32 = 21;

/// Every namespace's loopback device.
const LOOPBACK: u32 = 1;

/// What a kernel without IPv6 refuses its requests with.
const NO_IPV6: [Errno; 2] = [Errno::AFNOSUPPORT, Errno::OPNOTSUPP];

/// A hub that is ready for bridges.
#[derive(Debug)]
pub struct Hub {
    pub(super) netlink: Netlink,
    /// Index of the near end of the wire.
    pub(super) wire: u32,
    pub(super) ipv6: Ipv6,
    /// Whether packets of known connections go to their sockets at once.
    pub(super) marks: bool,
}

/// What can be done with IPv6.
#[derive(Debug)]
pub(super) enum Ipv6 {
    Full,
    /// Within a network only.
    NoForwarding(HubError),
    Absent,
}

impl Hub {
    /// Makes the wire, anew if there is one, and the rules. `netlink` is a socket of the hub;
    /// the calling thread is in the hub too. `void` is a socket of the namespace
    /// `void_namespace`, where the far end goes. Returns the index of the far end as well.
    ///
    /// # Errors
    /// What the kernel refuses; calling again is safe.
    pub fn set_up(
        netlink: Netlink,
        void: &Netlink,
        void_namespace: BorrowedFd<'_>,
    ) -> Result<(Self, u32), HubError> {
        netlink.call(link::delete(Device::Name(WIRE)).or(&[Errno::NODEV]))?;
        let near = End { mac: Some(NEAR_MAC), ..End::new(WIRE, DEVICE_MTU) };
        let far =
            End { no_arp: true, namespace: Some(void_namespace), ..End::new(WIRE, DEVICE_MTU) };
        let device = Device::Name(WIRE);
        netlink.call_all(&[
            link::up(Device::Index(LOOPBACK)),
            veth::add(&near, &far),
            link::no_ipv6_addresses(device).or(&NO_IPV6),
            // Any source is plausible here; a strict filter would want each to be routed back
            // over the wire, members' included.
            link::set_ipv4(
                device,
                &[
                    (Ipv4Setting::Forwarding, 1),
                    (Ipv4Setting::RpFilter, 2),
                    (Ipv4Setting::AcceptRedirects, 0),
                    (Ipv4Setting::SendRedirects, 0),
                ],
            ),
            link::up(device),
        ])?;
        void.call_all(&[link::no_ipv6_addresses(device).or(&NO_IPV6), link::up(device)])?;
        let far = link::get(void, device)?.index;
        let wire = link::get(&netlink, device)?.index;

        netlink.call_all(&requests_v4(wire))?;
        let ipv6 = match netlink.call_all(&requests_v6(wire)) {
            Ok(()) => forward_ipv6().map_or_else(Ipv6::NoForwarding, |()| Ipv6::Full),
            Err(error) if NO_IPV6.iter().any(|errno| error.is(*errno)) => Ipv6::Absent,
            Err(error) => return Err(error.into()),
        };
        hasten();
        let hub = Self { netlink, wire, ipv6, marks: false };
        hub.forget_vips()?;
        Ok((hub, far))
    }

    /// Has packets of connections that have their socket go to it without a journey over the
    /// wire; in the calling thread's namespace, which is the hub. `None` when the kernel cannot;
    /// otherwise a socket that need only be kept open for as long as closing it would be in the
    /// way.
    ///
    /// # Errors
    /// When it could but did not.
    pub fn mark_known_connections(&mut self) -> Result<Option<Netlink>, HubError> {
        let marked = coracle_sys::netlink::netfilter_socket()
            .map_err(NftError::from)
            .and_then(|socket| mark_transparent(socket, WIRE, MARK));
        match marked {
            Ok(socket) => {
                self.marks = true;
                Ok(Some(socket))
            }
            Err(NftError::Unavailable(_) | NftError::NoSocket(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Why packets of networks with IPv6 subnets cannot leave them, if so.
    #[must_use]
    pub fn ipv6_problem(&self) -> Option<&HubError> {
        match &self.ipv6 {
            Ipv6::NoForwarding(error) => Some(error),
            Ipv6::Full | Ipv6::Absent => None,
        }
    }

    /// The route that leads all of a family over the wire, in a table.
    pub(super) fn way_out(&self, family: Family, table: u32) -> Route {
        way_out(self.wire, family, table)
    }
}

fn way_out(wire: u32, family: Family, table: u32) -> Route {
    let gateway = match family {
        Family::V4 => NEXT_HOP_V4,
        Family::V6 => NEXT_HOP_V6,
    };
    Route {
        device: Some(wire),
        gateway: Some(gateway),
        on_link: true,
        table,
        ..Route::to(everything(family))
    }
}

/// All addresses of a family.
pub(super) fn everything(family: Family) -> Prefix {
    let any: IpAddr = match family {
        Family::V4 => Ipv4Addr::UNSPECIFIED.into(),
        Family::V6 => Ipv6Addr::UNSPECIFIED.into(),
    };
    Prefix { address: any, length: 0 }
}

fn requests_v4(wire: u32) -> Vec<Request> {
    let mut requests = requests(wire, Family::V4, NEXT_HOP_V4);
    requests.push(address::add(wire, WIRE_ADDRESS));
    // Asked last, for packets of the hub itself; and the filter of sources, where the host's
    // setting has it on, asks whether there is any way back at all.
    requests.push(route::replace(&way_out(wire, Family::V4, TABLE_DEFAULT)));
    requests
}

fn requests_v6(wire: u32) -> Vec<Request> {
    requests(wire, Family::V6, NEXT_HOP_V6)
}

fn requests(wire: u32, family: Family, next_hop: IpAddr) -> Vec<Request> {
    let marked = Rule { mark: Some(MARK), ..Rule::new(family, RULE_MARKED, take()) };
    let to_members = Rule::new(family, RULE_TO_MEMBERS, Action::Table(TABLE_MAIN)).input(WIRE);
    let to_hub = Rule::new(family, RULE_TO_HUB, take()).input(WIRE);
    let mut requests: Vec<_> = [marked, to_members, to_hub]
        .iter()
        .map(|rule| rule::add(rule).or(&[Errno::EXIST]))
        .collect();
    requests.push(route::replace(&Route {
        kind: RouteKind::Local,
        device: Some(LOOPBACK),
        table: TABLE_TAKE,
        ..Route::to(everything(family))
    }));
    requests.push(neighbour::replace(&Neighbour { device: wire, address: next_hop, mac: FAR_MAC }));
    requests
}

fn take() -> Action {
    Action::Table(TABLE_TAKE)
}

/// Lets IPv6 packets pass from device to device in the calling thread's namespace. The kernel
/// has one switch for all, and it is not reached by netlink.
fn forward_ipv6() -> Result<(), HubError> {
    const PATH: &str = "/proc/sys/net/ipv6/conf/all/forwarding";
    fs::write(PATH, "1").map_err(|source| HubError::Forwarding { path: PATH, source })
}

/// Settings of the calling thread's namespace that make no difference but for speed; so where
/// they cannot be written, nothing is wrong.
///
/// Here a connection's other end is in memory. Whatever way of sending the host has chosen for
/// the world (one may keep a pace by timers) only slows it down; `reno` is in every kernel and
/// allowed to everybody. And packets between the ports of a bridge need not pass rules for
/// packets that are routed, of which the hub has none about them.
fn hasten() {
    const SETTINGS: [(&str, &str); 4] = [
        // Where members reach each other through the hub, they are not to be told of a way past it.
        ("/proc/sys/net/ipv4/conf/all/send_redirects", "0"),
        ("/proc/sys/net/ipv4/tcp_congestion_control", "reno"),
        ("/proc/sys/net/bridge/bridge-nf-call-iptables", "0"),
        ("/proc/sys/net/bridge/bridge-nf-call-ip6tables", "0"),
    ];
    for (path, value) in SETTINGS {
        fs::write(path, value).ok();
    }
}

/// The request failed for want of the device, or of what was on it.
pub(super) fn is_gone(error: &NetlinkError) -> bool {
    [Errno::NODEV, Errno::NXIO, Errno::NOENT, Errno::SRCH].iter().any(|errno| error.is(*errno))
}
