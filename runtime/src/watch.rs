//! Waits until something in a directory changes.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify;
use rustix::io::Errno;

/// Time between looks when the kernel has no watch left for us.
const BLIND_WAIT: Duration = Duration::from_millis(100);

/// A watch on the directory of a log.
///
/// The directory rather than the file: a rotation replaces the file, and the container's
/// state, which says that there is no more to come, changes beside it.
#[derive(Debug)]
pub(crate) struct Watch {
    inotify: Option<OwnedFd>,
}

impl Watch {
    /// Without a free watch, waits are short instead.
    pub(crate) fn new(dir: &Path) -> Self {
        let open = || -> Result<OwnedFd, Errno> {
            let fd = inotify::init(inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK)?;
            let changes = inotify::WatchFlags::MODIFY
                | inotify::WatchFlags::CREATE
                | inotify::WatchFlags::MOVED_TO
                | inotify::WatchFlags::DELETE_SELF;
            inotify::add_watch(&fd, dir, changes)?;
            Ok(fd)
        };
        Self { inotify: open().ok() }
    }

    /// Waits for a change since the last wait, at most for `longest`.
    pub(crate) fn wait(&self, longest: Duration) -> io::Result<()> {
        let Some(fd) = &self.inotify else {
            std::thread::sleep(longest.min(BLIND_WAIT));
            return Ok(());
        };
        let timeout = Timespec::try_from(longest).unwrap_or(Timespec { tv_sec: 1, tv_nsec: 0 });
        match poll(&mut [PollFd::new(fd, PollFlags::IN)], Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        // Which change it was does not matter.
        let mut buffer = [MaybeUninit::uninit(); 4096];
        while rustix::io::read(fd, &mut buffer).is_ok_and(|(seen, _)| !seen.is_empty()) {}
        Ok(())
    }
}
