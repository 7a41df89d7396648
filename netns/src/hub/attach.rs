//! Makes endpoints, a container's devices on bridges, and takes them away.

use rustix::io::Errno;

use super::bridge::{bridge_name, mtu};
use super::container::{dress, undress};
use super::endpoint::{Endpoint, port_name};
use super::error::HubError;
use super::set_up::{Hub, is_gone};
use crate::netlink::link::{self, Device};
use crate::netlink::neighbour::{self, Neighbour};
use crate::netlink::veth::{self, End};

/// Members exchange packets of this size: more bytes for one journey through bridge and kernels.
/// Each is cut where it meets a device that takes less. Larger ones gain nothing more.
const LARGEST_PIECE: u32 = 3 * 65_536;

impl Hub {
    /// Makes an endpoint on a bridge that [`Hub::add_bridge`] made. The container's default
    /// route is [`super::lead_out`]'s.
    ///
    /// # Errors
    /// EEXIST when the container has a device of that name; nothing is left of the endpoint.
    pub fn add_endpoint(&self, endpoint: &Endpoint<'_>) -> Result<(), HubError> {
        let bridge = link::get(&self.netlink, Device::Name(&bridge_name(&endpoint.network.id)))?;
        let port = endpoint.port();
        let mtu = mtu(endpoint.network);
        // Over the wire, where without marks all packets go, one of 64 kB is the largest; cut
        // into those of the usual size they would be too many.
        let largest_piece = self.marks.then_some(LARGEST_PIECE);
        let near = End { master: Some(bridge.index), largest_piece, ..End::new(&port, mtu) };
        let far = End {
            mac: Some(endpoint.mac),
            namespace: Some(endpoint.namespace),
            largest_piece,
            ..End::new(endpoint.interface, mtu)
        };
        self.netlink.call(veth::add(&near, &far))?;
        let made = self.dress_port(endpoint, &port, bridge.index).and_then(|()| dress(endpoint));
        if made.is_err() {
            // The first error says more than one about clearing up could.
            self.remove_endpoint(endpoint).ok();
        }
        made
    }

    fn dress_port(&self, endpoint: &Endpoint<'_>, port: &str, bridge: u32) -> Result<(), HubError> {
        let index = link::get(&self.netlink, Device::Name(port))?.index;
        let device = Device::Index(index);
        let mut requests = vec![
            link::set_alias(device, endpoint.id),
            link::no_ipv6_addresses(device).or(&[Errno::AFNOSUPPORT]),
            // Told, the bridge need not learn, nor believe who sends in another's name.
            link::set_learning(device, false),
            neighbour::behind_port(index, endpoint.mac),
        ];
        if !endpoint.network.talk {
            requests.push(link::set_isolated(device, true));
        }
        // Told, the hub need not ask, nor believe a neighbour who answers for another.
        requests.extend(endpoint.addresses.iter().map(|prefix| {
            let (address, mac) = (prefix.address, endpoint.mac);
            neighbour::replace(&Neighbour { device: bridge, address, mac })
        }));
        requests.push(link::up(device));
        Ok(self.netlink.call_all(&requests)?)
    }

    /// Cuts an endpoint off whose container may live on in somebody else's hands, and its
    /// address be another's. The device goes with its namespace: to remove it here would hold
    /// up all.
    ///
    /// # Errors
    /// What the kernel refuses.
    pub fn cut_off(&self, endpoint: &str) -> Result<(), HubError> {
        let port = port_name(endpoint);
        let gone = [Errno::NODEV, Errno::NETDOWN];
        Ok(self.netlink.call(link::disable_port(Device::Name(&port)).or(&gone))?)
    }

    /// Removes an endpoint, or what there is of it; the container's namespace may be gone.
    ///
    /// # Errors
    /// The first refusal; the rest is removed all the same.
    pub fn remove_endpoint(&self, endpoint: &Endpoint<'_>) -> Result<(), HubError> {
        let port = endpoint.port();
        let mut requests = vec![link::delete(Device::Name(&port)).or(&[Errno::NODEV])];
        let bridge = bridge_name(&endpoint.network.id);
        match link::get(&self.netlink, Device::Name(&bridge)) {
            Ok(bridge) => requests.extend(endpoint.addresses.iter().map(|prefix| {
                neighbour::delete(bridge.index, prefix.address)
                    .or(&[Errno::NOENT, Errno::AFNOSUPPORT])
            })),
            Err(error) if is_gone(&error) => {}
            Err(error) => return Err(error.into()),
        }
        let removed = self.netlink.call_all(&requests).map_err(HubError::from);
        removed.and(undress(endpoint.container, endpoint.interface))
    }
}
