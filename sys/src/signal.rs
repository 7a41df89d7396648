//! Signals as a descriptor, and the mask that goes with it.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use crate::error::{Context, SyscallError};

fn set_of(signals: &[i32]) -> libc::sigset_t {
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: `set` is writable; `sigemptyset` initialises all of it.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    for signal in signals.iter().filter(|signal| (1..=LAST).contains(*signal)) {
        // Not by `sigaddset`, which refuses the realtime signals the C library keeps for itself.
        // SAFETY: every set begins with the kernel's 64 bits, initialised above.
        unsafe { *set.as_mut_ptr().cast::<u64>() |= 1 << (signal - 1) };
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

/// Highest signal number of Linux.
const LAST: i32 = 64;
/// Size of the kernel's set of signals, in bytes (not that of the C library).
const KERNEL_SET_BYTES: usize = 8;

/// The kernel's `struct sigaction`, which begins with the handler; the C library's own
/// functions refuse the realtime signals that it keeps for itself, and so would leave them
/// ignored.
#[repr(C, align(8))]
struct KernelAction {
    handler: libc::sighandler_t,
    /// Flags, restorer and mask, in whatever order this machine has them.
    rest: [u64; 4],
}

/// What the process does on `signal`; `None` when there is no such signal.
fn disposition(signal: i32) -> Option<libc::sighandler_t> {
    let mut now = KernelAction { handler: libc::SIG_DFL, rest: [0; 4] };
    let none = std::ptr::null::<KernelAction>();
    // SAFETY: `now` has room for the kernel's structure on every machine (at most 40 bytes);
    // nothing is changed.
    let rc = unsafe {
        libc::syscall(libc::SYS_rt_sigaction, signal, none, &raw mut now, KERNEL_SET_BYTES)
    };
    (rc == 0).then_some(now.handler)
}

/// Whether the process ignores `signal`.
#[must_use]
pub fn is_ignored(signal: i32) -> bool {
    disposition(signal) == Some(libc::SIG_IGN)
}

/// Forgets what whoever started this process did with signals: none stays blocked, and none
/// ignored but those in `keep`. Both are inherited through exec, and a program that is started
/// with SIGCHLD ignored cannot wait for its children.
///
/// # Errors
/// As `sigprocmask(2)`.
pub fn forget_inherited(keep: &[i32]) -> Result<(), SyscallError> {
    let set = set_of(&[]);
    // SAFETY: `set` is a valid signal set.
    let rc = unsafe { libc::sigprocmask(libc::SIG_SETMASK, &raw const set, std::ptr::null_mut()) };
    if rc != 0 {
        return Err(io::Error::last_os_error()).call(|| "sigprocmask(SIG_SETMASK)".into());
    }
    for signal in (1..=LAST).filter(|signal| !keep.contains(signal) && is_ignored(*signal)) {
        let default = KernelAction { handler: libc::SIG_DFL, rest: [0; 4] };
        let none = std::ptr::null_mut::<KernelAction>();
        // SAFETY: the default disposition, without flags and with an empty mask, is valid for
        // every signal that can be ignored; the kernel reads what it needs of `default`.
        unsafe {
            libc::syscall(
                libc::SYS_rt_sigaction,
                signal,
                &raw const default,
                none,
                KERNEL_SET_BYTES,
            )
        };
    }
    Ok(())
}

/// No signal is blocked or ignored any more, for a process about to exec. The Rust runtime
/// ignores SIGPIPE, and an ignored signal survives exec.
///
/// # Errors
/// As `sigprocmask(2)`.
pub fn reset() -> Result<(), SyscallError> {
    forget_inherited(&[])
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
