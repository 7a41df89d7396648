//! Locks on files that are waited for with a bound, and that can say who holds them.
//!
//! # How it works
//!
//! `flock(2)` belongs to the open file and ends with it, whatever ends its process. The
//! kernel has no bound for the wait, so it is asked again and again, ever less often. Who
//! holds a lock is read from `/proc/locks` once it matters, and costs nothing before.
//!
//! # Limits
//!
//! There is no queue: who comes later may be served first. Locks are held for moments.

use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;

/// How long a lock is waited for, unless somebody has a reason for another time. Whoever
/// holds one works on a few small files; only a process that was stopped takes as long.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Time between two tries, at first and at last.
const TRY_MIN: Duration = Duration::from_micros(200);
const TRY_MAX: Duration = Duration::from_millis(5);

/// A lock that is held; dropping it lets go.
#[derive(Debug)]
pub struct FileLock {
    file: Option<OwnedFd>,
}

impl FileLock {
    /// The lock as a descriptor to be handed on: it ends with the last copy of that.
    #[must_use]
    pub fn into_descriptor(mut self) -> OwnedFd {
        self.file.take().expect("only taken here")
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        if let Some(file) = &self.file {
            // By hand: a child that was forked meanwhile, and has not executed yet, has the
            // file too.
            rustix::fs::flock(file, FlockOperation::Unlock).ok();
        }
    }
}

/// Why a lock was not had.
#[derive(Debug)]
pub enum LockError {
    Io(io::Error),
    /// Somebody held it all the time.
    Held(Holder),
}

impl LockError {
    /// The same as a cause of another error.
    #[must_use]
    pub fn into_io(self, patience: Duration) -> io::Error {
        match self {
            Self::Io(error) => error,
            Self::Held(holder) => {
                io::Error::other(format!("{holder} has held it for {} s", patience.as_secs()))
            }
        }
    }
}

/// How a lock is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    Alone,
    WithOthers,
}

/// Who holds a lock, as far as the kernel tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holder {
    pub pid: Option<i32>,
    pub name: String,
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.pid {
            Some(pid) if self.name.is_empty() => write!(f, "process {pid}"),
            Some(pid) => write!(f, "process {pid} ({})", self.name),
            None => f.write_str("another process"),
        }
    }
}

/// Opens the file of a lock; `create` makes it when it is not there.
///
/// # Errors
/// As `open(2)`.
pub fn open(path: &Path, create: bool) -> Result<OwnedFd, Errno> {
    let mut flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    flags.set(OFlags::CREATE, create);
    rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR)
}

/// Takes the lock on an open file, alone.
///
/// # Errors
/// When somebody has it all the time, or as `flock(2)`.
pub fn take(file: OwnedFd, patience: Duration) -> Result<FileLock, LockError> {
    take_as(Share::Alone, file, patience)
}

/// Takes the lock on an open file.
///
/// # Errors
/// As [`take`].
pub fn take_as(share: Share, file: OwnedFd, patience: Duration) -> Result<FileLock, LockError> {
    wait(share, file.as_fd(), patience)?;
    Ok(FileLock { file: Some(file) })
}

/// Takes the lock on a file that the caller keeps: it ends with that.
///
/// # Errors
/// As [`take`].
pub fn wait(share: Share, file: BorrowedFd<'_>, patience: Duration) -> Result<(), LockError> {
    let operation = match share {
        Share::Alone => FlockOperation::NonBlockingLockExclusive,
        Share::WithOthers => FlockOperation::NonBlockingLockShared,
    };
    let end = Instant::now() + patience;
    let mut pause = TRY_MIN;
    loop {
        match rustix::fs::flock(file, operation) {
            Ok(()) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(Errno::WOULDBLOCK) => {
                if Instant::now() >= end {
                    return Err(LockError::Held(holder(file)));
                }
                std::thread::sleep(pause);
                pause = (pause * 2).min(TRY_MAX);
            }
            Err(errno) => return Err(LockError::Io(errno.into())),
        }
    }
}

fn holder(file: impl AsFd) -> Holder {
    let Ok(stat) = rustix::fs::fstat(file) else { return Holder::default() };
    let locks = fs::read_to_string("/proc/locks").unwrap_or_default();
    let pid = parse_holder(&locks, stat.st_ino);
    let name = pid.and_then(|pid| fs::read_to_string(format!("/proc/{pid}/comm")).ok());
    Holder { pid, name: name.unwrap_or_default().trim().to_owned() }
}

/// The pid in a line such as `1: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF`. The device is
/// left out of account: some filesystems tell another one than `stat(2)` does.
fn parse_holder(locks: &str, inode: u64) -> Option<i32> {
    locks.lines().find_map(|line| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        if fields.next()? == "->" {
            // One that waits.
            return None;
        }
        let pid = fields.nth(2)?.parse().ok().filter(|pid| *pid > 0)?;
        let found = fields.next()?.rsplit(':').next()?.parse::<u64>().ok()?;
        (found == inode).then_some(pid)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_held_by_one_and_says_by_whom() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let first = take(open(&path, true).unwrap(), Duration::ZERO).unwrap();
        let second = take(open(&path, false).unwrap(), Duration::from_millis(20));
        let Err(LockError::Held(holder)) = second else { panic!("two hold it") };
        assert_eq!(holder.pid, Some(std::process::id().cast_signed()), "{holder:?}");
        assert!(holder.to_string().starts_with("process "), "{holder}");
        drop(first);
        drop(take(open(&path, false).unwrap(), Duration::ZERO).unwrap());
    }

    #[test]
    fn letting_go_counts_though_another_descriptor_has_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let lock = take(open(&path, true).unwrap(), Duration::ZERO).unwrap();
        let childs = rustix::io::fcntl_dupfd_cloexec(lock.file.as_ref().unwrap(), 0).unwrap();
        drop(lock);
        drop(take(open(&path, false).unwrap(), Duration::ZERO).unwrap());
        drop(childs);
    }

    #[test]
    fn holders_are_told_from_those_who_wait() {
        let locks = "1: FLOCK  ADVISORY  WRITE 12 08:01:77 0 EOF\n\
                     1: -> FLOCK  ADVISORY  WRITE 13 08:01:78 0 EOF\n\
                     2: POSIX  ADVISORY  READ 14 00:1f:78 0 EOF\n";
        assert_eq!(parse_holder(locks, 77), Some(12));
        assert_eq!(parse_holder(locks, 78), Some(14));
        assert_eq!(parse_holder(locks, 79), None);
    }
}
