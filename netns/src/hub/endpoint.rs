//! An endpoint: a container's place in a network, and what it is called.
//!
//! [`super::attach`] makes one.

use std::os::fd::BorrowedFd;

use crate::netlink::{Mac, Netlink};
use crate::prefix::Prefix;
use crate::protocol::Network;

/// A container's place in a network.
#[derive(Clone, Copy, Debug)]
pub struct Endpoint<'a> {
    /// 64 hex digits.
    pub id: &'a str,
    pub network: &'a Network,
    /// The container's network namespace.
    pub namespace: BorrowedFd<'a>,
    /// A socket of that namespace.
    pub container: &'a Netlink,
    /// Name of the device there.
    pub interface: &'a str,
    pub mac: Mac,
    /// Each with the length of its subnet's prefix.
    pub addresses: &'a [Prefix],
}

impl Endpoint<'_> {
    /// Name of the end in the hub.
    pub(super) fn port(&self) -> String {
        port_name(self.id)
    }
}

/// Name of the end in the hub of the endpoint with this id.
pub(super) fn port_name(endpoint: &str) -> String {
    let short: String = endpoint.chars().take(12).collect();
    format!("v{short}")
}
