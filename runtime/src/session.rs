//! Enter the user's namespaces: those of a running container, or new ones.
//!
//! # How it works
//!
//! Each monitor leaves an empty file `run/ns/PID-START`. A command that needs the
//! namespaces joins those of the first such process still alive. When there is none it
//! makes new ones while holding `run/ns.lock`; whoever starts a container hands the lock
//! to its monitor, which lets go of it once it has left its own file. So a hundred first
//! commands at once end up in one namespace.
//!
//! A command that is about to start a container leaves such a file too, before it joins:
//! the monitor that it joins may end before there is another, and whoever comes then must
//! not make a second pair of namespaces.
//!
//! # Limits
//!
//! Only a process with a single thread can enter. There is no way back.

use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use coracle_sys::idmap::IdMap;
use coracle_sys::process::ProcessId;
use coracle_sys::{SyscallError, mount, userns};
use rustix::fs::{FlockOperation, Mode};
use rustix::mount::MountFlags;

use crate::cgroup;
use crate::file_lock::{self, LockError};
use crate::monitor::Ready;
use crate::paths::{PathError, Paths, make_private};

/// The lock of those who make namespaces, in the runtime folder.
const LOCK: &str = "ns.lock";

/// Why the namespaces cannot be entered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    #[error("cannot create a user namespace")]
    Create { source: SyscallError, map: IdMap },
    #[error("cannot use the lock {path}")]
    Lock { path: PathBuf, source: io::Error },
    /// Somebody makes the namespaces, and takes long.
    #[error(
        "the namespaces of containers are being made by {holder}, which did not finish in \
         {waited_s} s"
    )]
    Busy { holder: file_lock::Holder, waited_s: u64 },
    #[error("cannot leave a mark in {path}")]
    Mark { path: PathBuf, source: io::Error },
    #[error("cannot arrange the mount namespace")]
    Mounts { source: SyscallError },
    #[error(transparent)]
    Path(#[from] PathError),
}

impl SessionError {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let Self::Create { source, .. } = self else { return None };
        let me = rustix::process::getpid().as_raw_nonzero().get().to_string();
        if fs::read_link("/proc/self").is_ok_and(|shown| shown != Path::new(&me)) {
            return Some(
                "/proc shows another pid namespace: mount it anew, as `unshare --mount-proc` does"
                    .to_owned(),
            );
        }
        let denied = matches!(source.errno(), Some(libc_errno::EPERM | libc_errno::ENOSPC));
        if !denied {
            return None;
        }
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default().trim().to_owned();
        if read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1" {
            return Some(
                "AppArmor restricts user namespaces here: install a profile for this executable \
                 with `userns,`, or set kernel.apparmor_restrict_unprivileged_userns=0"
                    .to_owned(),
            );
        }
        if read("/proc/sys/kernel/unprivileged_userns_clone") == "0" {
            return Some("run `sysctl kernel.unprivileged_userns_clone=1` as root".to_owned());
        }
        if read("/proc/sys/user/max_user_namespaces") == "0" {
            return Some("run `sysctl user.max_user_namespaces=15000` as root".to_owned());
        }
        Some(
            "inside a container, run that one with `--security-opt seccomp=unconfined \
             --security-opt systempaths=unconfined`; `coracle info` shows what is missing"
                .to_owned(),
        )
    }
}

/// How long whoever makes the namespaces is waited for: it may fetch an image meanwhile.
const PATIENCE: Duration = Duration::from_secs(600);

/// Error numbers of errno(3) that tell a refusal from a fault.
mod libc_errno {
    pub(super) const EPERM: i32 = 1;
    pub(super) const ENOSPC: i32 = 28;
}

/// Proof that this process is root of the user's namespaces.
#[derive(Debug)]
pub struct Session {
    /// Held only by the process that made the namespaces, until a monitor took over.
    pub(crate) lock: Option<OwnedFd>,
    /// A monitor that waits for what it is to start.
    pub(crate) ready: Option<Ready>,
    /// Only id 0 is mapped.
    pub single_id: bool,
    /// Others find the namespaces by this process, until it ends or its containers do.
    mark: Option<Registration>,
}

impl Session {
    /// Others need not wait until a container runs: they find the namespaces by this process as well.
    pub fn let_others_in(&mut self) {
        if self.mark.is_some() {
            self.lock = None;
        }
    }
}

/// Enters the namespaces.
///
/// `starts` says that this command is about to start a container: it then keeps the lock.
///
/// # Errors
/// When no user namespace can be had, or this process has more than one thread.
pub fn enter(paths: &Paths, map: &IdMap, starts: bool) -> Result<Session, SessionError> {
    if let Some(session) = join_others(paths, map, starts)? {
        return Ok(session);
    }
    let lock = starts.then(|| lock(&paths.run.join(LOCK))).transpose()?;
    enter_with(paths, map, lock)
}

/// The same to start containers, without waiting for anybody: `None` when another command is
/// about to make the namespaces.
///
/// # Errors
/// As [`enter`].
pub fn enter_at_once(paths: &Paths, map: &IdMap) -> Result<Option<Session>, SessionError> {
    if let Some(session) = join_others(paths, map, true)? {
        return Ok(Some(session));
    }
    match try_lock(&paths.run.join(LOCK), Duration::ZERO)? {
        Ok(lock) => enter_with(paths, map, Some(lock)).map(Some),
        Err(_) => Ok(None),
    }
}

/// The same in a process that was started inside of them.
///
/// # Errors
/// When others cannot be shown that it is there.
pub fn stay(paths: &Paths, map: &IdMap, starts: bool) -> Result<Session, SessionError> {
    leave_umask();
    make_private(&paths.holders())?;
    let mark = starts.then(|| show(paths)).transpose()?;
    Ok(Session { lock: None, ready: None, single_id: map.is_single(), mark })
}

fn enter_with(paths: &Paths, map: &IdMap, lock: Option<OwnedFd>) -> Result<Session, SessionError> {
    // Somebody may have been first while we waited for the lock; and whoever has joined one
    // that is found dead now left its own mark before, which the second look shows.
    for _ in 0..2 {
        if lock.is_some()
            && let Some(session) = join_others(paths, map, true)?
        {
            return Ok(session);
        }
    }
    userns::create(map).map_err(|source| SessionError::Create { source, map: map.clone() })?;
    arrange_cgroups()?;
    mount_inside(paths)?;
    let mark = match &lock {
        Some(_) => Some(show(paths)?),
        None => None,
    };
    Ok(Session { lock, ready: None, single_id: map.is_single(), mark })
}

/// Joins the namespaces of whoever holds some.
fn join_others(paths: &Paths, map: &IdMap, starts: bool) -> Result<Option<Session>, SessionError> {
    leave_umask();
    let holders = paths.holders();
    make_private(&holders)?;
    let is_empty = fs::read_dir(&holders).is_ok_and(|mut entries| entries.next().is_none());
    if is_empty {
        return Ok(None);
    }
    let mark = match starts {
        // Until we have joined it leads nowhere, and nobody can join us.
        true => Some(show(paths)?),
        false => None,
    };
    let single_id = map.is_single();
    let joined = join_any(&holders);
    if joined && starts {
        be_joinable()?;
    }
    Ok(joined.then_some(Session { lock: None, ready: None, single_id, mark }))
}

/// Leaves the mark of a command.
fn show(paths: &Paths) -> Result<Registration, SessionError> {
    be_joinable()?;
    register(paths).map_err(|source| SessionError::Mark { path: paths.holders(), source })
}

/// A process that changed its namespaces is closed to others, which a monitor undoes by
/// executing its program.
fn be_joinable() -> Result<(), SessionError> {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};
    set_dumpable_behavior(DumpableBehavior::Dumpable).map_err(|errno| SessionError::Mounts {
        source: SyscallError { call: "prctl(PR_SET_DUMPABLE)".to_owned(), source: errno.into() },
    })
}

/// What only those in the namespaces use is in memory: it goes with them, whatever becomes of
/// the data root, secrets in it never touch a disk, and a start makes no files on one for it.
fn mount_inside(paths: &Paths) -> Result<(), SessionError> {
    let folder = paths.inside();
    make_private(&folder)?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    rustix::mount::mount("tmpfs", &folder, "tmpfs", flags, c"mode=0700").map_err(|errno| {
        let call = format!("mount(tmpfs on {})", folder.display());
        SessionError::Mounts { source: SyscallError { call, source: errno.into() } }
    })
}

/// Mounts what is in memory again where somebody removed the folder that it was mounted on.
pub(crate) fn mend_inside(paths: &Paths) -> Result<(), SessionError> {
    make_private(&paths.inside())?;
    // Every monitor sees to it, all in one mount namespace.
    let _lock = lock(&paths.run.join("inside.lock"))?;
    let device = |path: &Path| {
        fs::metadata(path).map(|meta| std::os::unix::fs::MetadataExt::dev(&meta)).ok()
    };
    if device(&paths.inside()) == device(&paths.run) { mount_inside(paths) } else { Ok(()) }
}

/// Joins the namespaces of process `holder`.
///
/// # Errors
/// When it is gone or not ours.
pub fn join(holder: ProcessId) -> Result<(), SyscallError> {
    let pid = holder.as_pid().ok_or_else(|| SyscallError {
        call: format!("pidfd_open({})", holder.pid),
        source: io::ErrorKind::NotFound.into(),
    })?;
    leave_umask();
    userns::join(pid)
}

/// Containers and what is made for them have Docker's mode bits, whatever the user's umask.
fn leave_umask() {
    rustix::process::umask(Mode::WGRP | Mode::WOTH);
}

/// Leaves the mark by which others find our namespaces.
///
/// # Errors
/// As `creat(2)`.
pub fn register(paths: &Paths) -> io::Result<Registration> {
    let me = ProcessId::current();
    let path = mark(&paths.holders(), me);
    let locked = put_mark(&path)?;
    Ok(Registration { path, locked })
}

/// Leaves the mark of a monitor that has just been recorded, until it has done so itself: in
/// another pid namespace it lives only as far as its mark is locked.
pub(crate) fn announce(paths: &Paths, monitor: ProcessId) -> io::Result<Announced> {
    put_mark(&mark(&paths.holders(), monitor)).map(|locked| Announced { _locked: locked })
}

/// The mark of a monitor, held by whoever starts it.
#[derive(Debug)]
pub(crate) struct Announced {
    _locked: File,
}

fn put_mark(path: &Path) -> io::Result<File> {
    let mark = File::create(path)?;
    // In another pid namespace, where our pid says nothing, the lock tells that we live.
    rustix::fs::flock(&mark, FlockOperation::LockShared)?;
    Ok(mark)
}

/// The mark of this process; taken away when dropped.
#[derive(Debug)]
pub struct Registration {
    path: PathBuf,
    locked: File,
}

impl Registration {
    /// Makes the mark again if somebody removed it.
    pub(crate) fn renew(&mut self, paths: &Paths) -> io::Result<()> {
        if !self.path.exists() {
            make_private(&paths.holders()).map_err(io::Error::other)?;
            self.locked = put_mark(&self.path)?;
        }
        Ok(())
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        // A mark left behind names a dead process and is swept by the next one that ends or enters.
        drop(fs::remove_file(&self.path));
        if let Some(holders) = self.path.parent() {
            sweep(holders);
        }
    }
}

fn join_any(holders: &Path) -> bool {
    let Ok(entries) = fs::read_dir(holders) else { return false };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(holder) = name.to_str().and_then(parse_holder) else { continue };
        if !holder.is_alive() {
            drop(fs::remove_file(entry.path()));
        } else if join(holder).is_ok() {
            return true;
        }
    }
    false
}

/// Takes away the marks of processes that died.
pub(crate) fn sweep(holders: &Path) {
    for entry in fs::read_dir(holders).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if name.to_str().and_then(parse_holder).is_some_and(|holder| !holder.is_alive()) {
            // Somebody else may sweep too.
            drop(fs::remove_file(entry.path()));
        }
    }
}

/// Where the mark of a process is.
pub(crate) fn mark(holders: &Path, holder: ProcessId) -> PathBuf {
    holders.join(format!("{}-{}", holder.pid, holder.start_ticks))
}

/// Whether a process of another pid namespace holds its mark.
pub(crate) fn holds(holders: &Path, holder: ProcessId) -> bool {
    is_locked(&mark(holders, holder))
}

/// Whether anything lives in the runtime folder of another pid namespace, or is about to.
pub(crate) fn is_in_use(paths: &Paths) -> bool {
    let marks = fs::read_dir(paths.holders()).into_iter().flatten().flatten();
    is_locked(&paths.run.join(LOCK)) || marks.into_iter().any(|entry| is_locked(&entry.path()))
}

fn is_locked(path: &Path) -> bool {
    let Ok(file) = File::open(path) else { return false };
    rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_err()
}

fn parse_holder(name: &str) -> Option<ProcessId> {
    let (pid, start) = name.split_once('-')?;
    Some(ProcessId { pid: pid.parse().ok()?, start_ticks: start.parse().ok()? })
}

/// Takes a lock, which ends with the descriptor.
fn lock(path: &Path) -> Result<OwnedFd, SessionError> {
    try_lock(path, PATIENCE)?
        .map_err(|holder| SessionError::Busy { holder, waited_s: PATIENCE.as_secs() })
}

/// The same, or says who has it.
fn try_lock(
    path: &Path,
    patience: Duration,
) -> Result<Result<OwnedFd, file_lock::Holder>, SessionError> {
    let failed = |source: io::Error| SessionError::Lock { path: path.to_owned(), source };
    let file = file_lock::open(path, true).map_err(|errno| failed(errno.into()))?;
    match file_lock::take(file, patience) {
        Ok(lock) => Ok(Ok(lock.into_descriptor())),
        Err(LockError::Held(holder)) => Ok(Err(holder)),
        Err(LockError::Io(source)) => Err(failed(source)),
    }
}

/// libcontainer takes its tolerant cgroup v2 code only where `/sys/fs/cgroup` is a v2 tree,
/// and fails without root where it is anything else. We manage cgroups ourselves, so in our
/// own mount namespace it is shown one: the host's, or else one that nobody can write to.
fn arrange_cgroups() -> Result<(), SessionError> {
    const CGROUP: &str = "/sys/fs/cgroup";
    const UNIFIED: &str = "/sys/fs/cgroup/unified";
    if cgroup::is_v2(CGROUP) {
        return Ok(());
    }
    let failed = |call: &str, source: io::Error| SessionError::Mounts {
        source: SyscallError { call: call.to_owned(), source },
    };
    if cgroup::is_v2(UNIFIED) {
        return rustix::mount::mount(UNIFIED, CGROUP, c"", MountFlags::BIND, None)
            .map_err(|errno| failed("mount(/sys/fs/cgroup/unified, MS_BIND)", errno.into()));
    }
    let unused = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    if !Path::new(CGROUP).is_dir() {
        // Nothing of the kernel's is at /sys: that cannot hide anything.
        rustix::mount::mount("coracle", "/sys", c"tmpfs", unused, Some(c"mode=0755"))
            .map_err(|errno| failed("mount(tmpfs on /sys)", errno.into()))?;
        fs::create_dir_all(CGROUP).map_err(|source| failed("mkdir(/sys/fs/cgroup)", source))?;
    }
    mount::leave_cgroup_namespace().map_err(|source| SessionError::Mounts { source })?;
    rustix::mount::mount("coracle", CGROUP, c"cgroup2", unused | MountFlags::RDONLY, None)
        .map_err(|errno| failed("mount(cgroup2 on /sys/fs/cgroup)", errno.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amark_takes_those_of_the_dead_with_it() {
        let dir = tempfile::tempdir().unwrap();
        let mark = |name: &str| {
            let path = dir.path().join(name);
            let locked = put_mark(&path).unwrap();
            Registration { path, locked }
        };
        let me = ProcessId::current();
        std::mem::forget(mark("1-1"));
        std::mem::forget(mark(&format!("{}-{}", me.pid, me.start_ticks)));
        drop(mark("2-2"));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn holder_names() {
        assert_eq!(parse_holder("12-99"), Some(ProcessId { pid: 12, start_ticks: 99 }));
        assert_eq!(parse_holder("12"), None);
        assert_eq!(parse_holder("x-1"), None);
    }
}
