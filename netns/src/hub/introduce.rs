//! Members of a network are told each other's hardware addresses, and whose the gateway's is.
//!
//! # How it works
//!
//! An entry that was told is permanent: it neither ages nor yields to what somebody on the link
//! says (arp(7)). So a member that claims another's address, or the gateway's, is not believed,
//! and nobody has to ask. Together with ports that learn nothing (see [`super::endpoint`]), each
//! address stays with whom it was given to.
//!
//! # Limits
//!
//! Each newcomer costs a message to every other member. A container that changes its device's
//! hardware address by itself is not found under it.

use std::net::IpAddr;

use rustix::io::Errno;

use crate::netlink::link::{self, Device};
use crate::netlink::neighbour;
use crate::netlink::{Mac, Netlink, NetlinkError};

/// A member as others are told of it.
#[derive(Clone, Debug)]
pub struct Acquaintance<'a> {
    /// A socket of its namespace.
    pub container: &'a Netlink,
    /// Name of its device there.
    pub interface: &'a str,
    pub mac: Mac,
    pub addresses: Vec<IpAddr>,
}

impl Acquaintance<'_> {
    fn device(&self) -> Result<u32, NetlinkError> {
        Ok(link::get(self.container, Device::Name(self.interface))?.index)
    }

    fn hear_of<'a>(&self, others: impl IntoIterator<Item = &'a Self>) -> Result<(), NetlinkError>
    where
        Self: 'a,
    {
        let device = self.device()?;
        let entry = |other: &Self, address: IpAddr| {
            neighbour::replace(&neighbour::Neighbour { device, address, mac: other.mac })
        };
        let requests: Vec<_> = others
            .into_iter()
            .flat_map(|other| other.addresses.iter().map(move |address| entry(other, *address)))
            .collect();
        self.container.call_all(&requests)
    }

    /// Forgets these; a container that is going has no device any more.
    fn forget(&self, addresses: &[IpAddr]) -> Result<(), NetlinkError> {
        let device = self.device()?;
        let delete = |address: &IpAddr| {
            neighbour::delete(device, *address).or(&[Errno::NOENT, Errno::AFNOSUPPORT])
        };
        let requests: Vec<_> = addresses.iter().map(delete).collect();
        self.container.call_all(&requests)
    }
}

/// Tells a newcomer and the others of each other. Whoever cannot be told goes on asking.
pub fn introduce(newcomer: &Acquaintance<'_>, others: &[Acquaintance<'_>]) {
    for other in others {
        other.hear_of([newcomer]).ok();
    }
    newcomer.hear_of(others).ok();
}

/// The same where members reach each other through the bridge of their network, which is the
/// gateway's. Only by IPv4: IPv6 may not be forwarded, and nothing needs it there.
pub fn introduce_through(network: &str, newcomer: &Acquaintance<'_>, others: &[Acquaintance<'_>]) {
    let bridge = super::bridge::bridge_mac(network);
    for (is_v4, mac) in [(true, Some(bridge)), (false, None)] {
        let others: Vec<_> = others.iter().map(|other| of_family(other, is_v4, mac)).collect();
        introduce(&of_family(newcomer, is_v4, mac), &others);
    }
}

/// With its addresses of one family only, and perhaps another hardware address.
fn of_family<'a>(member: &Acquaintance<'a>, is_v4: bool, mac: Option<Mac>) -> Acquaintance<'a> {
    let mut shown = member.clone();
    shown.addresses.retain(|address| address.is_ipv4() == is_v4);
    shown.mac = mac.unwrap_or(shown.mac);
    shown
}

/// Tells members that the bridge of their network, which is the gateway's, has these addresses.
pub fn tell_of_vips(network: &str, vips: &[IpAddr], members: &[Acquaintance<'_>]) {
    if vips.is_empty() {
        return;
    }
    for member in members {
        let bridge = Acquaintance {
            container: member.container,
            interface: member.interface,
            mac: super::bridge::bridge_mac(network),
            addresses: vips.to_vec(),
        };
        member.hear_of([&bridge]).ok();
    }
}

/// Nobody has these addresses any more.
pub fn part(addresses: &[IpAddr], others: &[Acquaintance<'_>]) {
    for other in others {
        other.forget(addresses).ok();
    }
}

/// Has a member forget all but the gateways, as nobody tells who left while there was no helper.
pub fn forget_others(member: &Acquaintance<'_>, gateways: &[IpAddr]) {
    let known = neighbour::list(member.container).unwrap_or_default();
    let Ok(device) = member.device() else { return };
    let theirs = known.into_iter().filter(|entry| entry.device == device);
    let addresses: Vec<IpAddr> =
        theirs.map(|entry| entry.address).filter(|ip| !gateways.contains(ip)).collect();
    member.forget(&addresses).ok();
}

#[cfg(test)]
mod tests {
    use std::os::fd::OwnedFd;

    use super::*;
    use crate::world::{alone, network, tool_in};

    fn container() -> (OwnedFd, Netlink) {
        let (namespace, socket) = network();
        tool_in(&namespace, "ip link add eth0 type veth peer name far");
        tool_in(&namespace, "ip link set eth0 up");
        (namespace, socket)
    }

    fn member(container: &Netlink, last: u8) -> Acquaintance<'_> {
        let addresses = [format!("172.18.0.{last}"), format!("fd00:1::{last}")];
        Acquaintance {
            container,
            interface: "eth0",
            mac: [2, 66, 172, 18, 0, last],
            addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(),
        }
    }

    /// What was told to a container, without the order.
    fn told(namespace: &OwnedFd) -> Vec<String> {
        let shown = tool_in(namespace, "ip neigh show nud permanent dev eth0");
        let mut lines: Vec<String> =
            shown.lines().map(|line| line.replace(" PERMANENT", "").trim().to_owned()).collect();
        lines.sort();
        lines
    }

    #[test]
    fn members_know_each_other_until_one_leaves() {
        alone("hub::introduce::tests::members_know_each_other_until_one_leaves", || {
            let containers = [container(), container(), container()];
            let [one, two, three] = &containers;
            let members = [member(&one.1, 2), member(&two.1, 3), member(&three.1, 4)];
            introduce(&members[1], &members[..1]);
            assert_eq!(
                told(&one.0),
                ["172.18.0.3 lladdr 02:42:ac:12:00:03", "fd00:1::3 lladdr 02:42:ac:12:00:03"]
            );
            introduce(&members[2], &members[..2]);
            assert_eq!(told(&three.0).len(), 4);
            // One that cannot be told is left out.
            let lost = Acquaintance { interface: "nosuch", ..members[0].clone() };
            part(&members[1].addresses, &[lost, members[2].clone()]);
            assert_eq!(
                told(&three.0),
                ["172.18.0.2 lladdr 02:42:ac:12:00:02", "fd00:1::2 lladdr 02:42:ac:12:00:02"]
            );
            forget_others(&members[0], &["172.18.0.4".parse().unwrap()]);
            assert_eq!(told(&one.0), ["172.18.0.4 lladdr 02:42:ac:12:00:04"]);
        });
    }
}
