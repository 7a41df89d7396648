//! A small client of route netlink (rtnetlink(7)): devices, addresses, routes, rules.
//!
//! # How it works
//!
//! Each operation is a function that builds a [`Request`]; a [`Netlink`] sends one, or
//! several in one message, and reads what the kernel says of each. The socket may have been
//! made in any network namespace: its requests change that one.
//!
//! # Limits
//!
//! What this project needs, and no more; one request at a time per socket.

pub mod address;
pub(crate) mod attributes;
mod error;
pub mod link;
pub(crate) mod message;
pub mod neighbour;
pub mod route;
pub mod rule;
mod socket;
pub mod veth;

pub use error::{NetlinkError, Refusal};
pub use message::Request;
pub use socket::Netlink;

/// A hardware address.
pub type Mac = [u8; 6];

/// `AF_INET` and `AF_INET6` (address_families(7)).
pub(crate) const AF_INET: u8 = 2;
pub(crate) const AF_INET6: u8 = 10;

/// The address family of an IP address.
pub(crate) fn family_of(address: std::net::IpAddr) -> u8 {
    if address.is_ipv4() { AF_INET } else { AF_INET6 }
}

/// The bytes of an IP address, in the order of the wire.
pub(crate) fn octets(address: std::net::IpAddr) -> Vec<u8> {
    match address {
        std::net::IpAddr::V4(address) => address.octets().to_vec(),
        std::net::IpAddr::V6(address) => address.octets().to_vec(),
    }
}

#[cfg(test)]
mod tests;
