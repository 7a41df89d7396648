//! Neighbours: which hardware address an IP address has, told rather than asked.

use std::net::IpAddr;

use super::attributes::{attribute, ip, u16_at, u32_at};
use super::message::{NLM_F_CREATE, NLM_F_REPLACE, Request};
use super::{Mac, Netlink, NetlinkError, family_of, octets};

const RTM_NEWNEIGH: u16 = 28;
const RTM_DELNEIGH: u16 = 29;
const RTM_GETNEIGH: u16 = 30;
const NDA_DST: u16 = 1;
const NDA_LLADDR: u16 = 2;
const NUD_NOARP: u16 = 0x40;
const NUD_PERMANENT: u16 = 0x80;
const NTF_MASTER: u8 = 0x04;
const AF_BRIDGE: u8 = 7;

/// An entry that neither ages nor yields to what somebody on the link says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// Index of the device.
    pub device: u32,
    pub address: IpAddr,
    pub mac: Mac,
}

/// `struct ndmsg`.
fn header(family: u8, device: u32, state: u16) -> [u8; 12] {
    let mut bytes = [0; 12];
    bytes[0] = family;
    bytes[4..8].copy_from_slice(&device.to_ne_bytes());
    bytes[8..10].copy_from_slice(&state.to_ne_bytes());
    bytes
}

/// Makes an entry, or changes it.
#[must_use]
pub fn replace(neighbour: &Neighbour) -> Request {
    let Neighbour { device, address, mac } = neighbour;
    let what = format!("set the hardware address of {address} on the device {device}");
    Request::new(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, what)
        .fixed(&header(family_of(*address), *device, NUD_PERMANENT))
        .bytes(NDA_DST, &octets(*address))
        .bytes(NDA_LLADDR, mac)
}

/// Tells a bridge behind which of its ports a hardware address is.
#[must_use]
pub fn behind_port(port: u32, mac: Mac) -> Request {
    let what = format!("set which hardware address is behind the bridge port {port}");
    let mut header = header(AF_BRIDGE, port, NUD_NOARP);
    header[10] = NTF_MASTER;
    Request::new(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, what)
        .fixed(&header)
        .bytes(NDA_LLADDR, &mac)
}

/// Deletes an entry; `ENOENT` when there is none.
#[must_use]
pub fn delete(device: u32, address: IpAddr) -> Request {
    let what = format!("forget the hardware address of {address} on the device {device}");
    Request::new(RTM_DELNEIGH, 0, what)
        .fixed(&header(family_of(address), device, 0))
        .bytes(NDA_DST, &octets(address))
}

/// All permanent entries for IP addresses.
///
/// # Errors
/// The kernel's refusal.
pub fn list(netlink: &Netlink) -> Result<Vec<Neighbour>, NetlinkError> {
    let request =
        Request::new(RTM_GETNEIGH, 0, "list the neighbours".into()).fixed(&header(0, 0, 0));
    netlink.dump(&request, |body| {
        let rest = body.get(12..)?;
        (u16_at(body, 8)? & NUD_PERMANENT != 0).then_some(())?;
        Some(Neighbour {
            device: u32_at(body, 4)?,
            address: ip(attribute(rest, NDA_DST)?)?,
            mac: attribute(rest, NDA_LLADDR)?.try_into().ok()?,
        })
    })
}
