//! Network devices by the old ioctls, where netlink would be more than is needed.

use std::ffi::CStr;
use std::io;
use std::mem;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use rustix::net::{AddressFamily, SocketFlags, SocketType};

use crate::error::{Context, SyscallError};

/// Switches a network device of this namespace on.
///
/// # Errors
/// ENODEV when there is none of that name, EPERM without CAP_NET_ADMIN (netdevice(7)).
///
/// # Panics
/// When `name` is longer than a device name can be (15 bytes).
pub fn link_up(name: &CStr) -> Result<(), SyscallError> {
    let socket = rustix::net::socket_with(
        AddressFamily::INET,
        SocketType::DGRAM,
        SocketFlags::CLOEXEC,
        None,
    )
    .call(|| "socket(AF_INET, SOCK_DGRAM)".into())?;
    // SAFETY: `ifreq` is plain C data; every field accepts the all-zero pattern.
    let mut request: libc::ifreq = unsafe { mem::zeroed() };
    assert!(name.count_bytes() < request.ifr_name.len(), "a device name has 15 bytes at most");
    for (slot, byte) in request.ifr_name.iter_mut().zip(name.to_bytes()) {
        *slot = libc::c_char::from_ne_bytes([*byte]);
    }
    let flags = libc::IFF_UP | libc::IFF_RUNNING;
    request.ifr_ifru.ifru_flags =
        libc::c_short::try_from(flags).expect("both flags are among the low bits");
    // SAFETY: the socket is open; SIOCSIFFLAGS reads one `ifreq`, which is valid and
    // initialised, and keeps no pointer to it.
    let rc =
        unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS as _, &raw const request) };
    if rc < 0 {
        return Err(io::Error::last_os_error())
            .call(|| format!("ioctl(SIOCSIFFLAGS, {}, up)", name.to_string_lossy()));
    }
    Ok(())
}

/// The network namespace a socket belongs to.
///
/// # Errors
/// EPERM without CAP_NET_ADMIN in the user namespace that owns it.
pub fn namespace_of(socket: BorrowedFd<'_>) -> Result<OwnedFd, SyscallError> {
    // linux/sockios.h; the libc crate does not have it.
    const SIOCGSKNS: libc::Ioctl = 0x894c;
    // SAFETY: the socket is open for the whole borrow; SIOCGSKNS takes no argument.
    let fd = unsafe { libc::ioctl(socket.as_raw_fd(), SIOCGSKNS) };
    if fd < 0 {
        return Err(io::Error::last_os_error()).call(|| "ioctl(SIOCGSKNS)".into());
    }
    // SAFETY: the kernel has just made this descriptor for us; nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
