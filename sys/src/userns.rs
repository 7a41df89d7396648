//! The user's user and mount namespace: make one, or join the one that is there.
//!
//! All of a user's containers share one user namespace and one mount namespace, so
//! that an overlay mounted for a container is seen by `exec`, `cp` and `commit`.
//!
//! # How it works
//!
//! newuidmap must run outside the new namespace to have its privilege, so a child is
//! forked first; it waits until we have unshared and then writes our maps.

use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::process::Command;

use rustix::fd::OwnedFd;
use rustix::mount::MountPropagationFlags;
use rustix::process::{Gid, Pid, PidfdFlags, Uid, WaitOptions};
use rustix::thread::{ThreadNameSpaceType, UnshareFlags};

use crate::error::{Context, SyscallError};
use crate::fork::{Fork, exit_now, fork};
use crate::idmap::{IdMap, IdRange, find_helper};

/// Makes this process root of a new user namespace with a mount namespace of its own.
///
/// # Errors
/// When the kernel refuses user namespaces, a map cannot be written, or this process has
/// more than one thread.
pub fn create(map: &IdMap) -> Result<(), SyscallError> {
    match map {
        IdMap::Subordinate { uids, gids } => {
            create_with_helpers(uids, gids)?;
        }
        IdMap::Identity { uids, gids } => {
            create_as_root(uids, gids)?;
        }
        IdMap::Single { .. } => {
            let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid());
            unshare()?;
            write("/proc/self/setgroups", "deny")?;
            write("/proc/self/uid_map", &format!("0 {} 1", uid.as_raw()))?;
            write("/proc/self/gid_map", &format!("0 {} 1", gid.as_raw()))?;
        }
    }
    become_root()?;
    // Mounts of the host still arrive here; nothing of ours goes back.
    rustix::mount::mount_change("/", MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC)
        .call(|| "mount(/, MS_SLAVE|MS_REC)".into())
}

/// Joins the user and mount namespace of `pid`.
///
/// # Errors
/// EPERM when the namespace is not ours, ESRCH when the process is gone.
pub fn join(pid: Pid) -> Result<(), SyscallError> {
    let pidfd = rustix::process::pidfd_open(pid, PidfdFlags::empty())
        .call(|| format!("pidfd_open({pid})"))?;
    // Joining leads to the root of the other mount namespace.
    let here = rustix::process::getcwd(Vec::new());
    join_pidfd(&pidfd).call(|| format!("setns(pid {pid}, NEWUSER|NEWNS)"))?;
    if let Ok(here) = here {
        // A directory that is not there is one that relative paths could not use either.
        rustix::process::chdir(here.as_c_str()).ok();
    }
    become_root()
}

fn join_pidfd(pidfd: &OwnedFd) -> io::Result<()> {
    rustix::thread::move_into_thread_name_spaces(
        pidfd.as_fd(),
        ThreadNameSpaceType::USER | ThreadNameSpaceType::MOUNT,
    )
    .map_err(io::Error::from)
}

fn unshare() -> Result<(), SyscallError> {
    // SAFETY: neither flag touches the descriptor table or the address space.
    unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWUSER | UnshareFlags::NEWNS) }
        .call(|| "unshare(CLONE_NEWUSER|CLONE_NEWNS)".into())
}

fn become_root() -> Result<(), SyscallError> {
    rustix::thread::set_thread_res_gid(Gid::ROOT, Gid::ROOT, Gid::ROOT)
        .call(|| "setresgid(0)".into())?;
    rustix::thread::set_thread_res_uid(Uid::ROOT, Uid::ROOT, Uid::ROOT)
        .call(|| "setresuid(0)".into())
}

fn write(path: &str, text: &str) -> Result<(), SyscallError> {
    fs::write(path, text).call(|| format!("write({path}, {text:?})"))
}

fn create_with_helpers(uids: &[IdRange], gids: &[IdRange]) -> Result<(), SyscallError> {
    let target = rustix::process::getpid();
    let (child, start) = waiting_child(|| map_with_helpers(target, uids, gids))?;
    unshare()?;
    finish(child, start, "newuidmap and newgidmap")
}

fn create_as_root(uids: &[IdRange], gids: &[IdRange]) -> Result<(), SyscallError> {
    let target = rustix::process::getpid();
    let write_maps = || {
        let table = |ranges: &[IdRange]| -> String {
            ranges.iter().map(|r| format!("{} {} {}\n", r.inside, r.outside, r.count)).collect()
        };
        fs::write(format!("/proc/{target}/uid_map"), table(uids))?;
        fs::write(format!("/proc/{target}/gid_map"), table(gids))
    };
    let (child, start) = waiting_child(write_maps)?;
    unshare()?;
    finish(child, start, "the id maps")
}

/// Forks a child that runs `job` once the returned pipe is closed, and reports by its
/// exit status: 0, or the error number.
fn waiting_child(job: impl FnOnce() -> io::Result<()>) -> Result<(Pid, OwnedFd), SyscallError> {
    let (wait, start) =
        rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).call(|| "pipe2()".into())?;
    match fork()? {
        Fork::Parent(child) => Ok((child, start)),
        Fork::Child => {
            drop(start);
            let mut byte = [0u8; 1];
            let told = rustix::io::read(&wait, &mut byte).unwrap_or(0) == 1;
            let code = match told.then(job) {
                Some(Ok(())) => 0,
                Some(Err(error)) => error.raw_os_error().unwrap_or(255),
                None => 0,
            };
            exit_now(code)
        }
    }
}

fn finish(child: Pid, start: OwnedFd, what: &str) -> Result<(), SyscallError> {
    rustix::io::write(&start, b"g").call(|| "write(pipe)".into())?;
    drop(start);
    let status = rustix::process::waitpid(Some(child), WaitOptions::empty())
        .call(|| format!("waitpid({child})"))?;
    match status.and_then(|(_, status)| status.exit_status()) {
        Some(0) => Ok(()),
        Some(code) => Err(io::Error::from_raw_os_error(code))
            .call(|| format!("{what} could not map the user and group ids")),
        None => Err(io::Error::other("killed by a signal")).call(|| what.to_owned()),
    }
}

/// Runs both helpers at once; each is a set-user-id program of some 1 ms.
fn map_with_helpers(target: Pid, uids: &[IdRange], gids: &[IdRange]) -> io::Result<()> {
    let spawn = |name: &str, ranges: &[IdRange]| {
        let path = find_helper(name).ok_or(io::ErrorKind::NotFound)?;
        let mut command = Command::new(path);
        command.arg(target.to_string());
        for range in ranges {
            command.args([
                range.inside.to_string(),
                range.outside.to_string(),
                range.count.to_string(),
            ]);
        }
        command.spawn()
    };
    let mut first = spawn("newuidmap", uids)?;
    let mut second = spawn("newgidmap", gids)?;
    let (first, second) = (first.wait()?, second.wait()?);
    if first.success() && second.success() {
        return Ok(());
    }
    Err(io::Error::from_raw_os_error(libc::EPERM))
}
