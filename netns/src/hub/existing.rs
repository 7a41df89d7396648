//! What a hub has already, for a helper that comes after one that was killed.

use super::bridge::{bridge_name, network_of};
use super::error::HubError;
use super::set_up::Hub;
use crate::netlink::address;
use crate::netlink::link::{self, Link};
use crate::netlink::{Mac, Netlink};
use crate::prefix::Prefix;
use crate::protocol::Network;

/// An endpoint that a container has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// 64 hex digits.
    pub endpoint: String,
    /// Name of the device in the container.
    pub interface: String,
    pub mac: Mac,
    /// Each with the length of its subnet's prefix; not link-local ones.
    pub addresses: Vec<Prefix>,
}

impl Hub {
    /// The endpoint that a container has in a network.
    ///
    /// # Errors
    /// What the kernel refuses.
    pub fn find_endpoint(
        &self,
        network: &Network,
        container: &Netlink,
    ) -> Result<Option<Found>, HubError> {
        let ours = link::list(&self.netlink)?;
        let name = bridge_name(&network.id);
        let Some(bridge) = ours.iter().find(|link| link.name == name) else { return Ok(None) };
        let theirs = link::list(container)?;
        // Each names the other as its peer, in another namespace. A container that may make
        // devices can have one say so falsely; the label is then another endpoint's, of this
        // network, and the container deceives itself.
        let pair = theirs.iter().find_map(|inner| {
            let outer = ours
                .iter()
                .find(|outer| outer.master == Some(bridge.index) && are_pair(inner, outer))?;
            Some((inner, outer.alias.clone()?))
        });
        let Some((inner, endpoint)) = pair else { return Ok(None) };
        let addresses = address::list(container)?
            .into_iter()
            .filter(|address| address.device == inner.index)
            .map(|address| address.prefix)
            .filter(|prefix| !is_link_local(*prefix))
            .collect();
        let mac = inner.mac.unwrap_or_default();
        Ok(Some(Found { endpoint, interface: inner.name.clone(), mac, addresses }))
    }

    /// The networks whose bridges nothing is a port of, as the first 12 digits of their ids.
    ///
    /// # Errors
    /// What the kernel refuses.
    pub fn idle_bridges(&self) -> Result<Vec<String>, HubError> {
        let links = link::list(&self.netlink)?;
        let has_ports = |bridge: &Link| links.iter().any(|link| link.master == Some(bridge.index));
        let is_bridge = |link: &&Link| link.kind.as_deref() == Some("bridge");
        let idle = links.iter().filter(is_bridge).filter(|bridge| !has_ports(bridge));
        Ok(idle.filter_map(|bridge| network_of(&bridge.name)).map(str::to_owned).collect())
    }

    /// Other networks whose bridges have an address in a subnet of this one, as the first 12 digits of their ids.
    ///
    /// # Errors
    /// What the kernel refuses.
    pub fn bridges_in_the_way(&self, network: &Network) -> Result<Vec<String>, HubError> {
        let subnets = network.subnets.iter();
        let subnets: Vec<_> =
            subnets.filter_map(|subnet| Prefix::new(subnet.address, subnet.prefix)).collect();
        let own = bridge_name(&network.id);
        let addresses = address::list(&self.netlink)?;
        let is_inside = |bridge: &Link| {
            let held = addresses.iter().filter(|address| address.device == bridge.index);
            held.map(|address| address.prefix)
                .any(|held| subnets.iter().any(|one| one.overlaps(&held)))
        };
        let links = link::list(&self.netlink)?;
        let others = links.iter().filter(|link| link.name != own && is_inside(link));
        Ok(others.filter_map(|link| network_of(&link.name)).map(str::to_owned).collect())
    }
}

fn are_pair(inner: &Link, outer: &Link) -> bool {
    inner.peer == Some(outer.index)
        && outer.peer == Some(inner.index)
        && inner.peer_elsewhere
        && outer.peer_elsewhere
}

fn is_link_local(prefix: Prefix) -> bool {
    matches!(prefix.address, std::net::IpAddr::V6(address) if address.is_unicast_link_local())
}

/// A name for a container's next device: the first of `eth0`, `eth1`, … that is free.
///
/// # Errors
/// What the kernel refuses.
pub fn free_interface(container: &Netlink) -> Result<String, HubError> {
    let taken = link::list(container)?;
    let mut names = (0_u32..).map(|number| format!("eth{number}"));
    let free = names.find(|name| !taken.iter().any(|link| link.name == *name));
    Ok(free.expect("fewer devices than numbers"))
}
