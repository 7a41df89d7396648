//! The end of a helper: under the lock under which clients start one, so that nobody connects
//! to a door that closes.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{FlockOperation, flock};

/// The files a helper has: its socket, and the lock for starting and ending.
#[derive(Debug)]
pub(crate) struct Exit {
    pub(crate) lock: File,
    pub(crate) socket: PathBuf,
}

impl Exit {
    /// Closes the door for good, unless somebody is at it or about to be.
    pub(crate) fn try_leave(&self, door: &OwnedFd) -> bool {
        if flock(&self.lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            return false;
        }
        let mut waiting = [PollFd::new(door, PollFlags::IN)];
        let none = rustix::time::Timespec { tv_sec: 0, tv_nsec: 0 };
        if poll(&mut waiting, Some(&none)) != Ok(0) {
            flock(&self.lock, FlockOperation::Unlock).ok();
            return false;
        }
        // Gone already, if somebody cleaned up. The lock ends with this process.
        std::fs::remove_file(&self.socket).ok();
        true
    }
}
