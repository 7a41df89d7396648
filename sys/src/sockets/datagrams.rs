//! Datagrams with the address of ours that they came to, and leave from.
//!
//! # How it works
//!
//! A socket bound to all addresses asks for it (`IP_PKTINFO`, ip(7); `IPV6_RECVPKTINFO`, ipv6(7)), gets it as
//! a control message with each datagram, and names it in one with each answer. Otherwise the kernel would
//! choose an answer's source by its route, and whoever asked at another address would take it for somebody
//! else's.

use std::io;
use std::mem::{self, MaybeUninit};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd};

use rustix::net::{AddressFamily, SocketAddrAny};

use super::set_int;
use crate::error::{Context, SyscallError};

/// An address of this host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Local {
    ip: IpAddr,
    /// Which device's, where the address alone does not tell (link-local ones); otherwise 0.
    device: u32,
}

impl Local {
    /// The address alone.
    #[must_use]
    pub fn ip(&self) -> IpAddr {
        self.ip
    }
}

/// What came.
#[derive(Clone, Copy, Debug)]
pub struct Received {
    /// Of the datagram.
    pub length: usize,
    pub from: SocketAddr,
    /// `None` when it was for many, or the socket did not ask.
    pub at: Option<Local>,
}

/// Has [`receive_at`] tell the address that each datagram came to.
///
/// # Errors
/// When this is no datagram socket of that family.
pub fn tell_local(fd: impl AsFd, family: AddressFamily) -> Result<(), SyscallError> {
    let (level, name, text) = if family == AddressFamily::INET6 {
        (libc::SOL_IPV6, libc::IPV6_RECVPKTINFO, "IPV6_RECVPKTINFO")
    } else {
        (libc::SOL_IP, libc::IP_PKTINFO, "IP_PKTINFO")
    };
    set_int(fd.as_fd(), level, name, 1).call(|| format!("setsockopt({text})"))
}

/// A message that is empty.
fn empty() -> libc::msghdr {
    // SAFETY: `msghdr` is plain C data; every field accepts the all-zero pattern.
    unsafe { mem::zeroed() }
}

/// Takes a datagram, if there is one.
///
/// # Errors
/// EAGAIN when there is none, and what recvmsg(2) says.
pub fn receive_at(fd: impl AsFd, buffer: &mut [u8]) -> io::Result<Received> {
    let mut name = MaybeUninit::zeroed();
    let mut control = Control::default();
    let mut part = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    let mut message = empty();
    message.msg_name = (&raw mut name).cast();
    message.msg_namelen = size(mem::size_of_val(&name));
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    message.msg_control = (&raw mut control).cast();
    message.msg_controllen = size(mem::size_of::<Control>());
    // SAFETY: the descriptor is open; every pointer in `message` is to a local or to `buffer`, with its size.
    let length =
        unsafe { libc::recvmsg(fd.as_fd().as_raw_fd(), &raw mut message, libc::MSG_DONTWAIT) };
    let length = usize::try_from(length).map_err(|_| io::Error::last_os_error())?;
    if message.msg_namelen == 0 {
        return Err(io::ErrorKind::InvalidData.into());
    }
    // SAFETY: the kernel wrote an address of that length; what is beyond it is zeros.
    let from = unsafe { SocketAddrAny::new(name, message.msg_namelen) };
    Ok(Received { length, from: SocketAddr::try_from(from)?, at: control.local() })
}

/// Sends a datagram that leaves from an address of ours; without one the kernel chooses.
///
/// # Errors
/// EAGAIN when there is no room, and what sendmsg(2) says.
pub fn send_from(
    fd: impl AsFd,
    data: &[u8],
    to: SocketAddr,
    from: Option<Local>,
) -> io::Result<usize> {
    let to = SocketAddrAny::from(to);
    let (mut control, length) = from.map(Control::naming).unwrap_or_default();
    // The kernel only reads what a sent message points to.
    let mut part = libc::iovec { iov_base: data.as_ptr().cast_mut().cast(), iov_len: data.len() };
    let mut message = empty();
    message.msg_name = to.as_ptr().cast_mut().cast();
    message.msg_namelen = to.addr_len();
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    message.msg_control = (&raw mut control).cast();
    message.msg_controllen = size(length);
    let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    // SAFETY: the descriptor is open; every pointer in `message` is to a local or to `data`, with its size.
    let sent = unsafe { libc::sendmsg(fd.as_fd().as_raw_fd(), &raw const message, flags) };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

/// The fields' types differ between C libraries.
fn size<T: TryFrom<usize>>(bytes: usize) -> T {
    T::try_from(bytes).unwrap_or_else(|_| unreachable!("these structures are small"))
}

/// Room for one control message, aligned as the kernel writes it: a `cmsghdr` (cmsg(3)) of 16 bytes (the
/// length, which is one of 64 bits, level and kind), and `in_pktinfo` or `in6_pktinfo`.
#[derive(Default)]
#[repr(C, align(8))]
struct Control {
    length: u64,
    level: i32,
    kind: i32,
    data: [[u8; 4]; 6],
}

impl Control {
    const HEADER: usize = 16;

    /// The message that names a source, and its length.
    fn naming(local: Local) -> (Self, usize) {
        let mut data = [[0; 4]; 6];
        let (level, kind, length) = match local.ip {
            IpAddr::V4(ip) => {
                // Device, source, destination.
                data[1] = ip.octets();
                (libc::SOL_IP, libc::IP_PKTINFO, 12)
            }
            IpAddr::V6(ip) => {
                // Address, device.
                for (word, bytes) in data.iter_mut().zip(ip.octets().chunks_exact(4)) {
                    word.copy_from_slice(bytes);
                }
                data[4] = local.device.to_ne_bytes();
                (libc::SOL_IPV6, libc::IPV6_PKTINFO, 20)
            }
        };
        let length = Self::HEADER + length;
        (Self { length: length as u64, level, kind, data }, length.next_multiple_of(8))
    }

    /// The address that a datagram came to.
    fn local(&self) -> Option<Local> {
        match (self.level, self.kind) {
            (libc::SOL_IP, libc::IP_PKTINFO) => {
                Some(Local { ip: Ipv4Addr::from(self.data[1]).into(), device: 0 })
            }
            (libc::SOL_IPV6, libc::IPV6_PKTINFO) => {
                let ip: [u8; 16] = self.data[..4].as_flattened().try_into().ok()?;
                let ip = Ipv6Addr::from(ip);
                let link = ip.is_unicast_link_local();
                let device = if link { u32::from_ne_bytes(self.data[4]) } else { 0 };
                (!ip.is_multicast()).then_some(Local { ip: ip.into(), device })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;

    fn answered(any: &str, asked: &str) -> String {
        let server = UdpSocket::bind(any).unwrap();
        let family = if any.starts_with('[') { AddressFamily::INET6 } else { AddressFamily::INET };
        tell_local(&server, family).unwrap();
        let port = server.local_addr().unwrap().port();
        let client = UdpSocket::bind(any).unwrap();
        client.set_read_timeout(Some(std::time::Duration::from_secs(10))).unwrap();
        client.send_to(b"hello", format!("{asked}:{port}")).unwrap();
        let mut buffer = [0; 16];
        // On the loopback it is there when sending returns.
        let got = receive_at(&server, &mut buffer).unwrap();
        assert_eq!(&buffer[..got.length], b"hello");
        assert_eq!(got.from.port(), client.local_addr().unwrap().port());
        send_from(&server, b"you", got.from, got.at).unwrap();
        let (length, from) = client.recv_from(&mut buffer).unwrap();
        assert_eq!((length, from.port()), (3, port));
        assert_eq!(receive_at(&server, &mut buffer).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        from.ip().to_string()
    }

    #[test]
    fn answers_leave_from_the_address_that_was_asked() {
        for asked in ["127.0.0.1", "127.0.0.2", "127.255.255.254"] {
            assert_eq!(answered("0.0.0.0:0", asked), asked);
        }
        if UdpSocket::bind("[::1]:0").is_ok() {
            assert_eq!(answered("[::]:0", "[::1]"), "::1");
        }
    }
}
