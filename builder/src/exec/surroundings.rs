//! What a build needs of whoever calls it.

use std::os::fd::{BorrowedFd, OwnedFd};

use coracle_image::{Image, Platform, Reference};
use coracle_runtime::Home;
use coracle_words::ErrorKind;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::error::BuildError;
use crate::sources::git::GitSettings;

/// What a build needs of whoever calls it: what depends on settings, on a network, or starts processes.
pub trait Surroundings {
    /// Where images are. It is asked, and never entered.
    fn home(&mut self) -> &mut Home;

    /// An image for a platform, in the store: fetched when it is not there, or when `pull` says that the registry's may
    /// be newer. While it is on its way, `watch` hears again and again how many bytes have come, of how many.
    ///
    /// # Errors
    /// When it cannot be had.
    fn image(
        &mut self,
        name: &Reference,
        platform: &Platform,
        pull: bool,
        watch: &mut dyn FnMut(u64, u64),
    ) -> Result<Image, Trouble>;

    /// How web servers and repositories are reached.
    fn network(&self) -> GitSettings;

    /// Where an archive goes that has no file of its own; `None` when it is closed.
    fn standard_output(&self) -> Option<OwnedFd>;

    /// Readable as soon as the build is to end: somebody interrupts it. Nothing is read from it here. What was begun
    /// ends, goes, and is told as [`CANCELED`](crate::progress::CANCELED); the error is [`BuildError::canceled`].
    fn interrupt(&self) -> Option<BorrowedFd<'_>>;
}

/// Whether the build is to end.
pub(super) fn is_interrupted(interrupt: Option<BorrowedFd<'_>>) -> bool {
    let Some(interrupt) = interrupt else { return false };
    let mut polled = [PollFd::from_borrowed_fd(interrupt, PollFlags::IN)];
    poll(&mut polled, Some(&Timespec::default())).is_ok_and(|ready| ready > 0)
}

/// What the surroundings could not do, in BuildKit's words.
#[derive(Debug, Clone)]
pub struct Trouble {
    pub message: String,
    pub hint: Option<String>,
    pub kind: ErrorKind,
}

impl From<Trouble> for BuildError {
    fn from(trouble: Trouble) -> Self {
        let Trouble { message, hint, kind } = trouble;
        Self { hint, ..Self::new(message, kind) }
    }
}
