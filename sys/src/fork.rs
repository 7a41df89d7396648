//! Fork in a single-threaded process.

use std::io;

use rustix::process::Pid;

use crate::error::{Context, SyscallError};

/// Which side of a fork this is.
#[derive(Debug)]
pub enum Fork {
    Parent(Pid),
    Child,
}

/// Forks a process that has a single thread. The child must end with [`exit_now`] or an exec.
///
/// # Errors
/// As `fork(2)`; EBUSY when there is another thread, because the child might then find a
/// lock of the allocator held for ever.
pub fn fork() -> Result<Fork, SyscallError> {
    require_single_thread()?;
    // SAFETY: this process has one thread (just checked, and only that thread could
    // start another), so every lock is free in the child.
    let pid = unsafe { libc::fork() };
    match pid {
        -1 => Err(io::Error::last_os_error()).call(|| "fork()".to_owned()),
        0 => Ok(Fork::Child),
        pid => Ok(Fork::Parent(Pid::from_raw(pid).expect("fork returned a positive pid"))),
    }
}

/// Fails unless the calling thread is the only one of the process.
///
/// # Errors
/// EBUSY when there are others, or the error of looking at `/proc/self/task`.
pub fn require_single_thread() -> Result<(), SyscallError> {
    // A folder has one link for itself, one from its parent and one per subfolder; each
    // thread is a subfolder of `task`.
    const LINKS_OF_ONE_THREAD: u64 = 3;
    let task = rustix::fs::stat("/proc/self/task").call(|| "stat(/proc/self/task)".into())?;
    if task.st_nlink != LINKS_OF_ONE_THREAD {
        return Err(io::Error::from(rustix::io::Errno::BUSY))
            .call(|| format!("fork() with {} threads", task.st_nlink.saturating_sub(2)));
    }
    Ok(())
}

/// Ends the process at once: no destructor, no buffer of the parent is flushed twice.
pub fn exit_now(code: i32) -> ! {
    // SAFETY: `_exit` takes any integer and does not return.
    unsafe { libc::_exit(code) }
}
