//! Waits until something in one of some directories changes.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify;
use rustix::io::Errno;

/// Time between looks when the kernel has no watch left for us.
const BLIND_WAIT: Duration = Duration::from_millis(100);

/// A watch on the directory of a log, or on those of several.
///
/// The directory rather than the file: a rotation replaces the file, and the container's
/// state, which says that there is no more to come, changes beside it.
#[derive(Debug)]
pub struct Watch {
    inotify: Option<OwnedFd>,
}

impl Watch {
    /// Without a free watch, waits are short instead.
    pub(crate) fn new(dir: &Path) -> Self {
        let mut watch = Self::empty();
        watch.add(dir);
        watch
    }

    /// Watches nothing yet.
    #[must_use]
    pub fn empty() -> Self {
        let flags = inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK;
        Self { inotify: inotify::init(flags).ok() }
    }

    /// Watches one more directory. When the kernel has no watch left, waits are short instead.
    pub fn add(&mut self, dir: &Path) {
        let changes = inotify::WatchFlags::MODIFY
            | inotify::WatchFlags::CREATE
            | inotify::WatchFlags::MOVED_TO
            | inotify::WatchFlags::DELETE_SELF;
        let added = self.inotify.as_ref().map(|fd| inotify::add_watch(fd, dir, changes));
        if matches!(added, Some(Err(_))) {
            self.inotify = None;
        }
    }

    /// What becomes readable with a change; `None` when changes must be looked for.
    #[must_use]
    pub fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.inotify.as_ref().map(AsFd::as_fd)
    }

    /// The longest wait that misses nothing.
    #[must_use]
    pub fn patience(&self, longest: Duration) -> Duration {
        if self.inotify.is_some() { longest } else { longest.min(BLIND_WAIT) }
    }

    /// Forgets the changes that were seen.
    pub fn clear(&self) {
        let Some(fd) = &self.inotify else { return };
        // Which change it was does not matter.
        let mut buffer = [MaybeUninit::uninit(); 4096];
        while rustix::io::read(fd, &mut buffer).is_ok_and(|(seen, _)| !seen.is_empty()) {}
    }

    /// Waits for a change since the last wait, at most for `longest`.
    ///
    /// # Errors
    /// As `poll(2)`.
    pub fn wait(&self, longest: Duration) -> io::Result<()> {
        let Some(fd) = &self.inotify else {
            std::thread::sleep(longest.min(BLIND_WAIT));
            return Ok(());
        };
        let timeout = Timespec::try_from(longest).unwrap_or(Timespec { tv_sec: 1, tv_nsec: 0 });
        match poll(&mut [PollFd::new(fd, PollFlags::IN)], Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        self.clear();
        Ok(())
    }
}
