//! What monitors and exec sessions do with their children: make one that starts a process, take its
//! terminal, hear how it ends.
//!
//! libcontainer runs in a child of its own: see [`crate::start::init`].

use std::fs;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixListener;
use std::path::Path;

use coracle_sys::fork::{Fork, exit_now, fork};
use rustix::process::{Pid, Signal};

use super::output::{Streams, receive_master};
use crate::error::is_disk_full;
use crate::records::DISK_FULL;
use crate::reopen::CALL;
use crate::start::failure::Failure;

/// The signals a monitor waits for: a child ended, somebody misses its runtime folder, or it is
/// asked to end.
pub(super) fn signals() -> [i32; 5] {
    [Signal::CHILD, CALL, Signal::TERM, Signal::INT, Signal::HUP].map(Signal::as_raw)
}

/// The exit code of a child, as a shell counts it; `None` while it has not ended.
pub(super) fn exit_code(status: rustix::process::WaitStatus) -> Option<i32> {
    status.exit_status().or_else(|| status.terminating_signal().map(|signal| 128 + signal))
}

/// What a start fails with when `what` cannot be done.
pub(super) fn failed<E: std::error::Error + 'static>(
    what: &str,
) -> impl FnOnce(E) -> Failure + use<'_, E> {
    move |error| {
        let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
        let hint = is_disk_full(&error).then(|| DISK_FULL.to_owned());
        Failure { hint, ..Failure::setup(format!("cannot {what}: {error}{cause}")) }
    }
}

/// Runs `job` in a forked child, in `cgroup` if there is one, and takes its result.
///
/// libcontainer leaves much behind in the process it runs in; this one stays small.
/// `meanwhile` gets the descriptor that tells when the job is done.
pub(super) fn in_child<T>(
    cgroups: Option<&crate::cgroup::Host>,
    cgroup: Option<&Path>,
    job: impl FnOnce() -> Result<i32, Failure>,
    meanwhile: impl FnOnce(BorrowedFd<'_>) -> Result<T, Failure>,
) -> Result<(Pid, T), Failure> {
    let (read, write) =
        rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).map_err(failed("make a pipe"))?;
    match fork().map_err(failed("start a child"))? {
        Fork::Child => {
            drop(read);
            // Where libcontainer can, it does it: this process must not be in there when it
            // cleans up after a failure, by killing all in it.
            let moved = match cgroup.filter(|_| !crate::cgroup::is_tree_ours()) {
                Some(cgroup) => crate::cgroup::enter(cgroups, cgroup, std::process::id()),
                None => Ok(()),
            };
            let result = moved.map_err(failed("enter the cgroup")).and_then(|()| job());
            let bytes = serde_json::to_vec(&result).unwrap_or_default();
            let sent = rustix::io::write(&write, &bytes);
            exit_now(i32::from(sent.is_err()));
        }
        Fork::Parent(child) => {
            drop(write);
            // What it has of the job goes with it, or the child would wait for us for ever.
            drop(job);
            let made = meanwhile(read.as_fd());
            let mut bytes = Vec::new();
            fs::File::from(read)
                .read_to_end(&mut bytes)
                .map_err(failed("hear from the child that starts the container"))?;
            // It has nothing left to do but end. The loop reaps it if this call does not.
            rustix::process::waitpid(Some(child), rustix::process::WaitOptions::empty()).ok();
            let result: Result<i32, Failure> =
                serde_json::from_slice(&bytes).unwrap_or_else(|_| {
                    Err(Failure::setup("the child that starts the container died".to_owned()))
                });
            // A failure of ours is why the job failed too.
            let made = made?;
            let pid = result?;
            Pid::from_raw(pid)
                .map(|pid| (pid, made))
                .ok_or_else(|| Failure::setup(format!("libcontainer reported pid {pid}")))
        }
    }
}

/// Takes the terminal that was made inside.
pub(super) fn terminal_streams(listener: &UnixListener) -> Result<Streams, Failure> {
    let master = receive_master(listener.as_fd()).map_err(failed("receive the terminal"))?;
    Streams::terminal(master).map_err(failed("use the terminal"))
}
