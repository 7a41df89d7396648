//! Starts this executable as a helper: nobody's child, in a session of its own, with a socket that listens already.
//!
//! It is forked twice, so that it outlives the process that starts it and is not that one's to reap.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use coracle_sys::SyscallError;
use coracle_sys::error::Context;
use coracle_sys::fork::{Fork, exit_now, fork};
use rustix::fs::{Mode, OFlags};
use rustix::process::WaitOptions;

/// The listening socket's number in the helper.
pub const LISTENER_FD: i32 = 3;

/// Starts it; `what` names it in errors. It has no other descriptor than the socket's, and `environment` alone.
///
/// # Errors
/// When no process can be made. One that cannot execute closes the socket, which tells whoever waits there.
pub fn spawn(
    what: &str,
    exe: &OwnedFd,
    listener: BorrowedFd<'_>,
    argv: &[CString],
    environment: &[CString],
) -> Result<(), SyscallError> {
    let null = rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
        .call(|| "open(/dev/null)".into())?;
    match fork()? {
        Fork::Parent(child) => {
            let waited = rustix::process::waitpid(Some(child), WaitOptions::empty())
                .call(|| format!("waitpid({what})"))?;
            match waited.and_then(|(_, status)| status.exit_status()) {
                Some(0) => Ok(()),
                _ => Err(io::Error::other("no process could be made"))
                    .call(|| format!("fork({what})")),
            }
        }
        Fork::Child => match fork() {
            Ok(Fork::Parent(_)) => exit_now(0),
            Ok(Fork::Child) => {
                // The socket that closes tells whoever waits that this failed.
                drop(become_helper(&null, listener, exe, argv, environment));
                exit_now(1)
            }
            Err(_) => exit_now(1),
        },
    }
}

fn become_helper(
    null: &OwnedFd,
    listener: BorrowedFd<'_>,
    exe: &OwnedFd,
    argv: &[CString],
    environment: &[CString],
) -> io::Error {
    let arrange = || -> io::Result<OwnedFd> {
        rustix::process::setsid()?;
        rustix::process::chdir("/")?;
        // A monitor has its signals blocked.
        coracle_sys::signal::reset().map_err(|error| error.source)?;
        // Move what is needed out of the way of the numbers it must get.
        let high = |fd: BorrowedFd<'_>| rustix::io::fcntl_dupfd_cloexec(fd, 10);
        let (null, listener, exe) = (high(null.as_fd())?, high(listener)?, high(exe.as_fd())?);
        rustix::stdio::dup2_stdin(&null)?;
        rustix::stdio::dup2_stdout(&null)?;
        rustix::stdio::dup2_stderr(&null)?;
        coracle_sys::fd::place(listener.as_fd(), LISTENER_FD)?;
        coracle_sys::fd::close_on_exec_from(LISTENER_FD + 1)?;
        Ok(exe)
    };
    match arrange() {
        Ok(exe) => coracle_sys::exec::fexecve(exe.as_fd(), argv, environment),
        Err(error) => error,
    }
}
