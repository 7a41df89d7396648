//! A container's network namespace, made while the rest of its start is prepared.
//!
//! # How it works
//!
//! The kernel takes half a millisecond to make one, a twentieth of a start. A thread of the
//! monitor makes it and leaves a descriptor; libcontainer is told to enter what that leads to.
//! The thread has ended before the monitor forks.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use coracle_sys::SyscallError;
use coracle_sys::fork::require_single_thread;
use coracle_sys::network::{new_network, this_network};
use oci_spec::runtime::{LinuxNamespaceType, Spec};

/// Enough for two system calls.
const STACK_BYTES: usize = 64 * 1024;
/// How long the kernel may take to end a thread that has nothing left to do.
const PATIENCE: Duration = Duration::from_secs(10);

/// A network namespace on its way.
#[derive(Debug)]
pub(crate) struct FreshNetwork(Option<JoinHandle<Made>>);

type Made = Result<OwnedFd, SyscallError>;

/// Begins to make one.
///
/// # Errors
/// As `pthread_create(3)`.
pub(crate) fn begin() -> io::Result<FreshNetwork> {
    let make = || new_network().and_then(|()| this_network());
    std::thread::Builder::new()
        .stack_size(STACK_BYTES)
        .spawn(make)
        .map(|thread| FreshNetwork(Some(thread)))
}

impl FreshNetwork {
    /// Waits for it and has the container of `spec` enter it; the descriptor is to stay open
    /// until libcontainer has. Who reads the specification later has no such descriptor.
    ///
    /// # Errors
    /// As `unshare(2)`.
    pub(crate) fn finish(mut self, spec: &mut Spec) -> Result<OwnedFd, SyscallError> {
        let namespace = self.wait().expect("nobody waited for it before")?;
        let all = spec.linux_mut().as_mut().and_then(|linux| linux.namespaces_mut().as_mut());
        for entry in all.into_iter().flatten() {
            if entry.typ() == LinuxNamespaceType::Network && entry.path().is_none() {
                // Of whoever opens it: the container's process is a fork of the monitor.
                let path = format!("/proc/self/fd/{}", namespace.as_raw_fd());
                entry.set_path(Some(PathBuf::from(path)));
            }
        }
        Ok(namespace)
    }

    fn wait(&mut self) -> Option<Made> {
        let thread = self.0.take()?;
        let made = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        // The kernel still counts it for a moment, and whoever counts threads would not fork.
        let deadline = Instant::now() + PATIENCE;
        while require_single_thread().is_err() && Instant::now() < deadline {
            std::thread::yield_now();
        }
        Some(made)
    }
}

impl Drop for FreshNetwork {
    /// A start that failed may be followed by another, which forks.
    fn drop(&mut self) {
        drop(self.wait());
    }
}
