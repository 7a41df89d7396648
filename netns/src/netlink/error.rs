//! Why a netlink request failed.

use std::fmt;
use std::io;

use rustix::io::Errno;

/// A request that did not do what it was for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetlinkError {
    #[error("cannot {what}")]
    Refused { what: String, source: Refusal },
    #[error("cannot ask the kernel to {what}")]
    Transport { what: String, source: io::Error },
    #[error("the kernel gave no answer to: {what}")]
    NoAnswer { what: String },
    #[error("the kernel changed its mind {attempts} times in answer to: {what}")]
    Unsteady { what: String, attempts: u32 },
}

impl NetlinkError {
    /// What the kernel refused the request with.
    #[must_use]
    pub fn errno(&self) -> Option<Errno> {
        match self {
            Self::Refused { source, .. } => Some(source.errno),
            Self::Transport { source, .. } => Errno::from_io_error(source),
            Self::NoAnswer { .. } | Self::Unsteady { .. } => None,
        }
    }

    /// Whether the kernel refused the request with this.
    #[must_use]
    pub fn is(&self, errno: Errno) -> bool {
        self.errno() == Some(errno)
    }
}

/// The kernel's no, in its own words where it has some.
#[derive(Debug)]
pub struct Refusal {
    pub errno: Errno,
    pub message: Option<String>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.message {
            Some(message) => write!(f, "{message} ({})", self.errno),
            None => self.errno.fmt(f),
        }
    }
}

impl std::error::Error for Refusal {}
