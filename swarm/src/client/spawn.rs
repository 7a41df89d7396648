//! Starts the agent: nobody's child, in a session of its own.

use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixListener;

use coracle_sys::SyscallError;
use coracle_sys::error::Context;
use coracle_sys::fork::{Fork, exit_now, fork};
use rustix::fs::{Mode, OFlags};
use rustix::process::WaitOptions;

/// The name under which the executable becomes the agent.
pub const AGENT_ARGV0: &str = "coracle-swarm";
/// The listening socket's number in the agent.
pub const LISTENER_FD: i32 = 3;

/// What an agent is started with; `cli` knows it.
#[derive(Clone, Debug, Default)]
pub struct AgentStart {
    /// After the name.
    pub arguments: Vec<CString>,
    /// `NAME=VALUE`: the settings of whoever starts it hold for it.
    pub environment: Vec<CString>,
}

/// Starts an agent for a socket that listens already.
///
/// # Errors
/// When no process can be made.
pub(super) fn spawn(start: &AgentStart, listener: &UnixListener) -> Result<(), SyscallError> {
    // It joins no container, so it may run from a file that can be written.
    let exe = rustix::fs::open("/proc/self/exe", OFlags::PATH | OFlags::CLOEXEC, Mode::empty())
        .call(|| "open(/proc/self/exe)".into())?;
    let null = rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
        .call(|| "open(/dev/null)".into())?;
    let name = CString::new(AGENT_ARGV0).expect("our name holds no NUL");
    let argv: Vec<CString> = std::iter::once(name).chain(start.arguments.iter().cloned()).collect();
    match fork()? {
        Fork::Parent(child) => {
            let waited = rustix::process::waitpid(Some(child), WaitOptions::empty())
                .call(|| "waitpid(swarm agent)".into())?;
            match waited.and_then(|(_, status)| status.exit_status()) {
                Some(0) => Ok(()),
                _ => Err(std::io::Error::other("no process could be made"))
                    .call(|| "fork(swarm agent)".into()),
            }
        }
        Fork::Child => match fork() {
            Ok(Fork::Parent(_)) => exit_now(0),
            Ok(Fork::Child) => {
                // The socket that closes tells whoever waits that this failed.
                drop(become_agent(&null, listener, &exe, &argv, &start.environment));
                exit_now(1)
            }
            Err(_) => exit_now(1),
        },
    }
}

fn become_agent(
    null: &OwnedFd,
    listener: &UnixListener,
    exe: &OwnedFd,
    argv: &[CString],
    environment: &[CString],
) -> std::io::Error {
    let arrange = || -> std::io::Result<OwnedFd> {
        rustix::process::setsid()?;
        rustix::process::chdir("/")?;
        coracle_sys::signal::reset().map_err(|error| error.source)?;
        // Move what is needed out of the way of the numbers it must get.
        let high = |fd: BorrowedFd<'_>| rustix::io::fcntl_dupfd_cloexec(fd, 10);
        let (null, listener, exe) =
            (high(null.as_fd())?, high(listener.as_fd())?, high(exe.as_fd())?);
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
