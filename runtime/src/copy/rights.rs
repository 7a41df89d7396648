//! The user's own rights over the host's files, while we are root of a user namespace.
//!
//! There we may write wherever an id of ours owns what is there, whatever its mode says. A copy
//! to the host is the user's own work, so it meets the same refusals as any other program's.
//!
//! # Limits
//!
//! It holds for the calling thread, and for threads that it starts meanwhile.

use std::io;
use std::os::fd::OwnedFd;

use rustix::thread::{CapabilitySet, CapabilitySets, capabilities, set_capabilities};

use super::CopyError;
use crate::identity::is_root_outside;

/// Rights that look past the mode of a file.
const BEYOND_MODES: CapabilitySet =
    CapabilitySet::DAC_OVERRIDE.union(CapabilitySet::DAC_READ_SEARCH);

/// The kernel sends it to who writes beyond `ulimit -f`, and it ends a process.
const SIGXFSZ: i32 = 25;

/// Takes them for this thread; given back when dropped.
pub(super) struct UserRights {
    before: Option<CapabilitySets>,
}

impl UserRights {
    pub(super) fn take() -> Result<Self, CopyError> {
        if is_root_outside() {
            return Ok(Self { before: None });
        }
        let failed = |errno: rustix::io::Errno| CopyError::Rights { source: errno.into() };
        let before = capabilities(None).map_err(failed)?;
        let mut lowered = before;
        lowered.effective.remove(BEYOND_MODES);
        set_capabilities(None, lowered).map_err(failed)?;
        Ok(Self { before: Some(before) })
    }
}

impl Drop for UserRights {
    fn drop(&mut self) {
        if let Some(before) = self.before {
            // They are still permitted, so that this cannot fail.
            set_capabilities(None, before).ok();
        }
    }
}

/// Lets a write beyond the user's limit be an error of the write, in this thread.
pub(super) fn survive_limits() -> Result<OwnedFd, CopyError> {
    coracle_sys::signal::signal_fd(&[SIGXFSZ])
        .map_err(|error| CopyError::Rights { source: io::Error::other(error) })
}
