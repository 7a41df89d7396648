//! The addresses of this network namespace's interfaces, asked of the kernel by netlink.

use std::io;
use std::net::IpAddr;

use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};

// rtnetlink(7), netlink(7): numbers of the kernel's interface, in its byte order.
const GET_ADDRESS: u16 = 22;
const NEW_ADDRESS: u16 = 20;
const DONE: u16 = 3;
const ERROR: u16 = 2;
/// NLM_F_REQUEST and NLM_F_DUMP.
const DUMP_REQUEST: u16 = 0x301;
const FAMILY_IPV4: u8 = 2;
const FAMILY_IPV6: u8 = 10;
/// IFA_ADDRESS: on a point-to-point link, that of the other side.
const ATTRIBUTE_ADDRESS: u16 = 1;
/// IFA_LOCAL: our own address, where it differs.
const ATTRIBUTE_LOCAL: u16 = 2;
const HEADER_BYTES: usize = 16;
const ADDRESS_HEADER_BYTES: usize = 8;
const ATTRIBUTE_HEADER_BYTES: usize = 4;

/// One message of the kernel's; it fills at most 32 KiB at once.
const BUFFER_BYTES: usize = 32 * 1024;
/// Addresses told; a host with more keeps the rest to itself.
const ADDRESSES_MAX: usize = 64;

/// Every address, in the kernel's order.
pub(super) fn all() -> io::Result<Vec<IpAddr>> {
    // The protocol when none is named is NETLINK_ROUTE.
    let (family, flags) = (AddressFamily::NETLINK, SocketFlags::CLOEXEC);
    let socket = rustix::net::socket_with(family, SocketType::RAW, flags, None)?;
    let kernel = SocketAddrNetlink::new(0, 0);
    rustix::net::sendto(&socket, &request(), SendFlags::empty(), &kernel)?;
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut found = Vec::new();
    loop {
        let (length, _) = rustix::net::recv(&socket, &mut buffer[..], RecvFlags::empty())?;
        if length == 0 || read(&buffer[..length], &mut found) || found.len() >= ADDRESSES_MAX {
            found.truncate(ADDRESSES_MAX);
            return Ok(found);
        }
    }
}

/// Asks for all addresses of all families.
fn request() -> [u8; HEADER_BYTES + ADDRESS_HEADER_BYTES] {
    let mut bytes = [0; HEADER_BYTES + ADDRESS_HEADER_BYTES];
    bytes[0] = 24;
    bytes[4..6].copy_from_slice(&GET_ADDRESS.to_ne_bytes());
    bytes[6..8].copy_from_slice(&DUMP_REQUEST.to_ne_bytes());
    bytes[8] = 1;
    bytes
}

/// Takes the addresses out of some messages; `true` when there are no more to come.
fn read(mut bytes: &[u8], found: &mut Vec<IpAddr>) -> bool {
    while let Some((length, kind)) = frame(bytes) {
        let Some(body) = bytes.get(HEADER_BYTES..length) else { return true };
        match kind {
            DONE | ERROR => return true,
            NEW_ADDRESS => found.extend(address(body)),
            _ => {}
        }
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    false
}

/// Length and kind of the message that `bytes` begin with.
fn frame(bytes: &[u8]) -> Option<(usize, u16)> {
    let length = u32::from_ne_bytes(bytes.get(..4)?.try_into().ok()?);
    let kind = u16::from_ne_bytes(bytes.get(4..6)?.try_into().ok()?);
    Some((usize::try_from(length).ok()?, kind))
}

fn address(body: &[u8]) -> Option<IpAddr> {
    let family = *body.first()?;
    let mut attributes = body.get(ADDRESS_HEADER_BYTES..)?;
    let mut address = None;
    while let Some((length, kind)) = attribute(attributes) {
        let value = attributes.get(ATTRIBUTE_HEADER_BYTES..length)?;
        match kind {
            ATTRIBUTE_LOCAL => return ip(family, value),
            ATTRIBUTE_ADDRESS => address = ip(family, value),
            _ => {}
        }
        attributes = attributes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    address
}

/// Length and kind of the attribute that `bytes` begin with.
fn attribute(bytes: &[u8]) -> Option<(usize, u16)> {
    let length = u16::from_ne_bytes(bytes.get(..2)?.try_into().ok()?);
    let kind = u16::from_ne_bytes(bytes.get(2..4)?.try_into().ok()?);
    Some((usize::from(length), kind))
}

fn ip(family: u8, value: &[u8]) -> Option<IpAddr> {
    match family {
        FAMILY_IPV4 => Some(<[u8; 4]>::try_from(value).ok()?.into()),
        FAMILY_IPV6 => Some(<[u8; 16]>::try_from(value).ok()?.into()),
        _ => None,
    }
}

#[cfg(all(test, target_endian = "little"))]
mod tests {
    use super::*;

    /// `lo` and a point-to-point link whose own address is 10.0.0.2, as Linux tells them.
    const IPV4: &[u8] = &[
        32, 0, 0, 0, 20, 0, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, // header
        2, 8, 128, 254, 1, 0, 0, 0, // ifaddrmsg
        8, 0, 1, 0, 127, 0, 0, 1, // IFA_ADDRESS
        40, 0, 0, 0, 20, 0, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, //
        2, 32, 128, 0, 2, 0, 0, 0, //
        8, 0, 1, 0, 10, 0, 0, 1, // IFA_ADDRESS: the peer
        8, 0, 2, 0, 10, 0, 0, 2, // IFA_LOCAL
    ];

    const IPV6: &[u8] = &[
        44, 0, 0, 0, 20, 0, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, //
        10, 128, 128, 254, 1, 0, 0, 0, //
        20, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
    ];

    const END: &[u8] = &[20, 0, 0, 0, 3, 0, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    #[test]
    fn addresses_of_both_families() {
        let mut found = Vec::new();
        assert!(!read(IPV4, &mut found));
        assert!(read(&[IPV6, END].concat(), &mut found));
        let expected: Vec<IpAddr> =
            ["127.0.0.1", "10.0.0.2", "::1"].iter().map(|ip| ip.parse().unwrap()).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn cut_messages_end_the_reading() {
        for length in 0..IPV6.len() {
            let mut found = Vec::new();
            read(&IPV6[..length], &mut found);
            assert!(found.is_empty(), "{length}");
        }
        // A length that does not get ahead must not be read for ever.
        assert!(read(&[0; 64], &mut Vec::new()));
    }

    #[test]
    fn this_machine_has_addresses() {
        assert!(!all().unwrap().is_empty());
    }
}
