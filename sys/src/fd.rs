//! Descriptors at numbers of our choice, for a process about to exec.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// Makes `number` a copy of `fd` that survives exec; whatever was there is closed.
///
/// Only for a forked child that is about to exec: it may take a number that another
/// owner in this process believes to hold.
///
/// # Errors
/// As `dup3(2)`.
pub fn place(fd: BorrowedFd<'_>, number: i32) -> io::Result<()> {
    // SAFETY: `fd` is open for the borrow; dup3 takes any target number.
    let rc = unsafe { libc::dup3(fd.as_raw_fd(), number, 0) };
    if rc < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Marks every descriptor from `first` on close-on-exec.
///
/// # Errors
/// ENOSYS before Linux 5.11.
pub fn close_on_exec_from(first: i32) -> io::Result<()> {
    let first = u32::try_from(first).map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: close_range only changes flags of descriptors, here none is closed.
    let rc =
        unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) };
    if rc < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Takes ownership of a descriptor that this process was started with.
///
/// `None` when the number is not open. Each number may be taken once in the life of a
/// process; a second call for the same number gives two owners.
#[must_use]
pub fn inherit(number: i32) -> Option<OwnedFd> {
    // SAFETY: F_GETFD only reads flags; any number is allowed.
    let flags = unsafe { libc::fcntl(number, libc::F_GETFD) };
    if flags < 0 {
        return None;
    }
    // SAFETY: the number is open, and it was handed over by exec, so nothing in this
    // process owns it yet; callers take each number once.
    let fd = unsafe { OwnedFd::from_raw_fd(number) };
    rustix::io::fcntl_setfd(&fd, rustix::io::FdFlags::CLOEXEC).ok()?;
    Some(fd)
}
