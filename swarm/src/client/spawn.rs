//! Starts the agent: nobody's child, in a session of its own.

use std::ffi::CString;
use std::os::fd::AsFd;
use std::os::unix::net::UnixListener;

use coracle_runtime::detached;
use coracle_sys::SyscallError;
use coracle_sys::error::Context;
use rustix::fs::{Mode, OFlags};

/// The name under which the executable becomes the agent.
pub const AGENT_ARGV0: &str = "coracle-swarm";

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
    let name = CString::new(AGENT_ARGV0).expect("our name holds no NUL");
    let argv: Vec<CString> = std::iter::once(name).chain(start.arguments.iter().cloned()).collect();
    detached::spawn("swarm agent", &exe, listener.as_fd(), &argv, &start.environment)
}
