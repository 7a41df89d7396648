//! Virtual addresses: in a network's subnet, and led to the helper instead of to a member.
//!
//! # How it works
//!
//! Members send what is for such an address to the gateway's hardware address. The table of
//! their bridge leads it over the wire; packets that come back down the wire for it are for the
//! hub, where the helper listens at it, so the main table, which knows the subnet, passes it over.

use std::net::IpAddr;

use rustix::io::Errno;

use super::bridge::{TABLES, bridge_name};
use super::error::HubError;
use super::set_up::Hub;
use crate::netlink::Request;
use crate::netlink::link::{self, Device};
use crate::netlink::route::{self, Route, RouteKind, TABLE_MAIN};
use crate::netlink::rule::Family;
use crate::prefix::Prefix;

impl Hub {
    /// Leads an address of the network with this id to the helper.
    ///
    /// # Errors
    /// What the kernel refuses.
    pub fn add_vip(&self, network: &str, vip: IpAddr) -> Result<(), HubError> {
        let [over, from] = self.routes_to(network, vip)?;
        Ok(self.netlink.call_all(&[route::replace(&over), route::replace(&from)])?)
    }

    /// The other way round, as far as there is anything.
    pub fn remove_vip(&self, network: &str, vip: IpAddr) {
        let delete = |route: &Route| route::delete(route).or(&[Errno::SRCH]);
        let requests: Vec<Request> = match self.routes_to(network, vip) {
            Ok(routes) => routes.iter().map(delete).collect(),
            // Without the bridge there is no table of it either.
            Err(_) => vec![delete(&passed_over(vip))],
        };
        // What cannot be removed now is removed by the next helper.
        self.netlink.call_all(&requests).ok();
    }

    fn routes_to(&self, network: &str, vip: IpAddr) -> Result<[Route; 2], HubError> {
        let bridge = link::get(&self.netlink, Device::Name(&bridge_name(network)))?;
        let family = if vip.is_ipv4() { Family::V4 } else { Family::V6 };
        let over = Route { to: single(vip), ..self.way_out(family, TABLES + bridge.index) };
        Ok([over, passed_over(vip)])
    }

    /// Forgets all virtual addresses, of a helper that was killed. Their other routes went with
    /// the wire.
    ///
    /// # Errors
    /// What the kernel refuses.
    pub(super) fn forget_vips(&self) -> Result<(), HubError> {
        let routes = route::list(&self.netlink)?;
        let passed =
            routes.iter().filter(|it| it.table == TABLE_MAIN && it.kind == RouteKind::Throw);
        let requests: Vec<Request> =
            passed.map(|route| route::delete(route).or(&[Errno::SRCH])).collect();
        Ok(self.netlink.call_all(&requests)?)
    }
}

fn passed_over(vip: IpAddr) -> Route {
    Route { kind: RouteKind::Throw, table: TABLE_MAIN, ..Route::to(single(vip)) }
}

fn single(address: IpAddr) -> Prefix {
    Prefix { address, length: if address.is_ipv4() { 32 } else { 128 } }
}
