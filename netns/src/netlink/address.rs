//! IP addresses of devices.

use super::attributes::{attribute, ip, u8_at, u32_at};
use super::message::{NLM_F_CREATE, NLM_F_REPLACE, Request};
use super::{Netlink, NetlinkError, family_of, octets};
use crate::prefix::Prefix;

const RTM_NEWADDR: u16 = 20;
const RTM_DELADDR: u16 = 21;
const RTM_GETADDR: u16 = 22;

// Attributes of an address (linux/if_addr.h).
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_BROADCAST: u16 = 4;
/// Usable at once: nobody is asked whether the address is taken.
const IFA_F_NODAD: u8 = 0x02;

/// The longest prefix that leaves room for a broadcast address.
const BROADCAST_PREFIX_MAX: u8 = 30;

/// An address that a device has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// Index of the device.
    pub device: u32,
    pub prefix: Prefix,
}

fn about(kind: u16, flags: u16, device: u32, address: Prefix, what: String) -> Request {
    let ip = address.address;
    let mut header = [family_of(ip), address.length, IFA_F_NODAD, 0, 0, 0, 0, 0];
    if ip.is_ipv4() {
        header[2] = 0;
    }
    header[4..8].copy_from_slice(&device.to_ne_bytes());
    let ip = octets(ip);
    Request::new(kind, flags, what).fixed(&header).bytes(IFA_LOCAL, &ip).bytes(IFA_ADDRESS, &ip)
}

/// Gives a device an address, and the namespace a route to the address's network.
#[must_use]
pub fn add(device: u32, address: Prefix) -> Request {
    let what = format!("give the device {device} the address {address}");
    let request = about(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, device, address, what);
    if address.is_v4() && address.length <= BROADCAST_PREFIX_MAX {
        request.bytes(IFA_BROADCAST, &octets(address.last()))
    } else {
        request
    }
}

/// Takes an address from a device.
#[must_use]
pub fn delete(device: u32, address: Prefix) -> Request {
    let what = format!("take the address {address} from the device {device}");
    about(RTM_DELADDR, 0, device, address, what)
}

/// All addresses of the namespace's devices.
///
/// # Errors
/// The kernel's refusal.
pub fn list(netlink: &Netlink) -> Result<Vec<Address>, NetlinkError> {
    let request = Request::new(RTM_GETADDR, 0, "list the addresses".into()).fixed(&[0; 8]);
    netlink.dump(&request, |body| {
        let rest = body.get(8..)?;
        // Only the address itself when there is no other side, as in IPv6.
        let address = attribute(rest, IFA_LOCAL).or_else(|| attribute(rest, IFA_ADDRESS))?;
        Some(Address {
            device: u32_at(body, 4)?,
            prefix: Prefix::new(ip(address)?, u8_at(body, 1)?)?,
        })
    })
}
