//! Network namespaces, which each thread has for itself.

use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags};
use rustix::thread::{LinkNameSpaceType, UnshareFlags};

use crate::error::{Context, SyscallError};

/// Moves the calling thread, and no other, to a network namespace that is empty but for a
/// loopback device that is down.
///
/// # Errors
/// EPERM without `CAP_SYS_ADMIN` in the user namespace.
pub fn new_network() -> Result<(), SyscallError> {
    // SAFETY: the flag changes the thread's network namespace only, neither the descriptor
    // table nor the address space; sockets that are open stay where they were made.
    unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWNET) }
        .call(|| "unshare(CLONE_NEWNET)".into())
}

/// Moves the calling thread, and no other, to the network namespace `namespace`.
///
/// # Errors
/// EPERM without `CAP_SYS_ADMIN` in its user namespace and in ours.
pub fn enter_network(namespace: BorrowedFd<'_>) -> Result<(), SyscallError> {
    rustix::thread::move_into_link_name_space(namespace, Some(LinkNameSpaceType::Network))
        .call(|| "setns(CLONE_NEWNET)".into())
}

/// The network namespace of the calling thread; it lives as long as the descriptor.
///
/// # Errors
/// ENOENT without `/proc`.
pub fn this_network() -> Result<OwnedFd, SyscallError> {
    const PATH: &str = "/proc/thread-self/ns/net";
    rustix::fs::open(PATH, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
        .call(|| format!("open({PATH})"))
}
