//! Netlink sockets, made as this project uses them.
//!
//! A socket belongs to the network namespace of the thread that made it, whoever uses it
//! later; it carries the right to change that namespace as long as its user has
//! `CAP_NET_ADMIN` there too (netlink(7)).

use std::io;
use std::mem;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use rustix::net::{AddressFamily, SocketFlags, SocketType, netlink};

use crate::error::{Context, SyscallError};

/// A socket for devices, addresses and routes (rtnetlink(7)).
///
/// # Errors
/// EMFILE, or EPROTONOSUPPORT on a kernel without networking.
pub fn route_socket() -> Result<OwnedFd, SyscallError> {
    // NETLINK_ROUTE is 0, the protocol of a socket for which none is asked.
    let fd = socket(None, "NETLINK_ROUTE")?;
    // Without it the kernel takes some filters of a dump for a hint only.
    set(&fd, libc::NETLINK_GET_STRICT_CHK, "NETLINK_GET_STRICT_CHK")?;
    Ok(fd)
}

/// A socket for the packet filter.
///
/// # Errors
/// EMFILE, or EPROTONOSUPPORT when the kernel has no netfilter.
pub fn netfilter_socket() -> Result<OwnedFd, SyscallError> {
    socket(Some(netlink::NETFILTER), "NETLINK_NETFILTER")
}

fn socket(protocol: Option<rustix::net::Protocol>, name: &str) -> Result<OwnedFd, SyscallError> {
    let fd = rustix::net::socket_with(
        AddressFamily::NETLINK,
        SocketType::RAW,
        SocketFlags::CLOEXEC,
        protocol,
    )
    .call(|| format!("socket(AF_NETLINK, {name})"))?;
    // The kernel's own words come with an error, and the request does not come back.
    set(&fd, libc::NETLINK_EXT_ACK, "NETLINK_EXT_ACK")?;
    set(&fd, libc::NETLINK_CAP_ACK, "NETLINK_CAP_ACK")?;
    Ok(fd)
}

/// Switches an option of the netlink family on.
fn set(fd: impl AsFd, option: i32, name: &str) -> Result<(), SyscallError> {
    let on: i32 = 1;
    let length = libc::socklen_t::try_from(mem::size_of::<i32>()).expect("an int is small");
    // SAFETY: the descriptor is open; the kernel reads `length` bytes of `on`, which lives
    // until the call is over.
    let rc = unsafe {
        libc::setsockopt(
            fd.as_fd().as_raw_fd(),
            libc::SOL_NETLINK,
            option,
            (&raw const on).cast(),
            length,
        )
    };
    if rc < 0 {
        return Err(io::Error::last_os_error()).call(|| format!("setsockopt({name}, 1)"));
    }
    Ok(())
}
