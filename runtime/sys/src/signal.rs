//! Signals as a descriptor, and the mask that goes with it.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use crate::error::{Context, SyscallError};

fn set_of(signals: &[i32]) -> libc::sigset_t {
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: `set` is writable; `sigemptyset` initialises all of it.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    for signal in signals {
        // SAFETY: `set` was initialised above; an unknown number is refused with EINVAL.
        unsafe { libc::sigaddset(set.as_mut_ptr(), *signal) };
    }
    // SAFETY: initialised by `sigemptyset`.
    unsafe { set.assume_init() }
}

/// Blocks `signals` and delivers them through a descriptor instead.
///
/// # Errors
/// As `signalfd(2)`.
pub fn signal_fd(signals: &[i32]) -> Result<OwnedFd, SyscallError> {
    let set = set_of(signals);
    // SAFETY: `set` is a valid signal set; the old mask is not asked for.
    let rc = unsafe { libc::sigprocmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut()) };
    if rc != 0 {
        return Err(io::Error::last_os_error()).call(|| "sigprocmask(SIG_BLOCK)".into());
    }
    // SAFETY: `set` is a valid signal set; -1 asks for a new descriptor.
    let fd = unsafe { libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) };
    if fd < 0 {
        return Err(io::Error::last_os_error()).call(|| "signalfd()".into());
    }
    // SAFETY: `fd` was just returned by the kernel and nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// The next pending signal of a descriptor made by [`signal_fd`], if there is one.
#[must_use]
pub fn next_signal(fd: BorrowedFd<'_>) -> Option<i32> {
    let mut info = MaybeUninit::<libc::signalfd_siginfo>::uninit();
    let size = size_of::<libc::signalfd_siginfo>();
    // SAFETY: `info` has room for `size` bytes and `fd` is open for the borrow.
    let got = unsafe { libc::read(fd.as_raw_fd(), info.as_mut_ptr().cast(), size) };
    if usize::try_from(got) != Ok(size) {
        return None;
    }
    // SAFETY: the kernel filled the whole structure.
    let info = unsafe { info.assume_init() };
    i32::try_from(info.ssi_signo).ok()
}

/// Unblocks every signal and resets those we handle, for a process about to exec.
///
/// # Errors
/// As `sigprocmask(2)`.
pub fn reset() -> Result<(), SyscallError> {
    let set = set_of(&[]);
    // SAFETY: `set` is a valid signal set.
    let rc = unsafe { libc::sigprocmask(libc::SIG_SETMASK, &raw const set, std::ptr::null_mut()) };
    if rc != 0 {
        return Err(io::Error::last_os_error()).call(|| "sigprocmask(SIG_SETMASK)".into());
    }
    // The Rust runtime ignores SIGPIPE, and an ignored signal survives exec.
    // SAFETY: SIG_DFL is a valid disposition for SIGPIPE.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
    Ok(())
}

/// Sends any signal by number, realtime ones too.
///
/// # Errors
/// As `kill(2)`.
pub fn kill(pid: rustix::process::Pid, number: i32) -> Result<(), SyscallError> {
    // SAFETY: kill takes any pid and number and touches no memory of ours.
    let rc = unsafe { libc::kill(pid.as_raw_nonzero().get(), number) };
    if rc != 0 {
        return Err(io::Error::last_os_error()).call(|| format!("kill({pid}, {number})"));
    }
    Ok(())
}
