//! Socket options and addresses that `rustix` has no wrapper for.

use std::io;
use std::mem;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::net::{AddressFamily, SocketFlags, SocketType};

mod datagrams;

pub use datagrams::{Local, Received, receive_at, send_from, tell_local};

use crate::error::{Context, SyscallError};

/// Sets an option whose value is an `int`.
fn set_int(fd: BorrowedFd<'_>, level: i32, name: i32, value: i32) -> io::Result<()> {
    let length = libc::socklen_t::try_from(mem::size_of::<i32>()).expect("an int is small");
    // SAFETY: the descriptor is open; the kernel reads `length` bytes of `value`, which
    // lives until the call is over.
    let rc =
        unsafe { libc::setsockopt(fd.as_raw_fd(), level, name, (&raw const value).cast(), length) };
    if rc < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Lets a socket bind to, and listen at, addresses that are not this host's.
///
/// # Errors
/// EPERM without CAP_NET_ADMIN or CAP_NET_RAW over its network namespace (ip(7)).
pub fn set_transparent(fd: impl AsFd, family: AddressFamily) -> Result<(), SyscallError> {
    let (level, name, text) = if family == AddressFamily::INET6 {
        (libc::SOL_IPV6, libc::IPV6_TRANSPARENT, "IPV6_TRANSPARENT")
    } else {
        (libc::SOL_IP, libc::IP_TRANSPARENT, "IP_TRANSPARENT")
    };
    set_int(fd.as_fd(), level, name, 1).call(|| format!("setsockopt({text})"))
}

/// Lifts the limit of a receive buffer, in bytes.
///
/// # Errors
/// EPERM without CAP_NET_ADMIN over its network namespace (socket(7)).
pub fn force_receive_buffer(fd: impl AsFd, bytes: i32) -> Result<(), SyscallError> {
    set_int(fd.as_fd(), libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, bytes)
        .call(|| format!("setsockopt(SO_RCVBUFFORCE, {bytes})"))
}

/// A socket for whole frames of a device of the calling thread's network namespace, each with
/// a `virtio_net_hdr` before it (packet(7)), so that frames larger than the device's MTU and
/// unfinished checksums pass. It sees nothing before [`bind_packet`].
///
/// # Errors
/// EPERM without CAP_NET_RAW over the namespace.
pub fn packet_socket() -> Result<OwnedFd, SyscallError> {
    let fd = rustix::net::socket_with(
        AddressFamily::PACKET,
        SocketType::RAW,
        SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
        None,
    )
    .call(|| "socket(AF_PACKET)".into())?;
    set_int(fd.as_fd(), libc::SOL_PACKET, libc::PACKET_VNET_HDR, 1)
        .call(|| "setsockopt(PACKET_VNET_HDR)".into())?;
    // What we send must not come back to us.
    set_int(fd.as_fd(), libc::SOL_PACKET, libc::PACKET_IGNORE_OUTGOING, 1)
        .call(|| "setsockopt(PACKET_IGNORE_OUTGOING)".into())?;
    Ok(fd)
}

/// Ties a packet socket to a device of its namespace.
///
/// # Errors
/// ENODEV when there is none of that number, ENETDOWN when it is down.
pub fn bind_packet(fd: impl AsFd, device: u32) -> Result<(), SyscallError> {
    // SAFETY: `sockaddr_ll` is plain C data; every field accepts the all-zero pattern.
    let mut address: libc::sockaddr_ll = unsafe { mem::zeroed() };
    address.sll_family = u16::try_from(libc::AF_PACKET).expect("17");
    address.sll_protocol = u16::try_from(libc::ETH_P_ALL).expect("3").to_be();
    address.sll_ifindex = i32::try_from(device).expect("device numbers are small");
    let length = libc::socklen_t::try_from(mem::size_of_val(&address)).expect("20");
    // SAFETY: the descriptor is open; the kernel reads `length` bytes of `address`, which
    // is initialised and lives until the call is over.
    let rc = unsafe { libc::bind(fd.as_fd().as_raw_fd(), (&raw const address).cast(), length) };
    if rc < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
        .call(|| format!("bind(AF_PACKET, device {device})"))
}
