//! Sockets on both sides of a flow: how they are made and set, and how they stand.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};

/// How long a peer may be silent before it is asked.
const KEEPALIVE: Duration = Duration::from_secs(600);

/// Closing it will send a reset.
pub(crate) fn reset(socket: &OwnedFd) {
    // A socket that is dead already has nobody to be told.
    sockopt::set_socket_linger(socket, Some(Duration::ZERO)).ok();
}

/// For connections and, as these take after them, listeners: both programs decide when to send,
/// we add no delay; and a silent peer is asked whether it is still there. Options are a service,
/// not a need.
pub(crate) fn tune(socket: &OwnedFd) {
    sockopt::set_tcp_nodelay(socket, true).ok();
    sockopt::set_socket_keepalive(socket, true).ok();
    sockopt::set_tcp_keepidle(socket, KEEPALIVE).ok();
}

/// A socket of this thread's network namespace, which is the host's.
pub(crate) fn host_socket(family: AddressFamily, kind: SocketType) -> Result<OwnedFd, Errno> {
    rustix::net::socket_with(family, kind, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)
}

/// The family of an address.
pub(crate) fn family(address: &IpAddr) -> AddressFamily {
    if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 }
}

/// The host's own loopback address of the same family.
pub(crate) fn loopback(like: IpAddr) -> IpAddr {
    match like {
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    }
}

/// Whether connecting failed, succeeded, or is still under way (`None`).
pub(crate) fn connection_state(socket: &OwnedFd) -> Option<Result<(), Errno>> {
    match sockopt::socket_error(socket) {
        Ok(Err(error)) | Err(error) => return Some(Err(error)),
        Ok(Ok(())) => {}
    }
    rustix::net::getpeername(socket).is_ok().then_some(Ok(()))
}

/// The peer's address in plain form, where a socket of both families shows it mapped.
pub(crate) fn unmapped(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}
