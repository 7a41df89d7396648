//! What can go wrong with a swarm, for whoever asked.

use std::io;

use coracle_words::ErrorKind;

use crate::journal::JournalError;
use crate::seal::SealError;

/// An error with words for a person and a kind for a program.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SwarmError {
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Seal(#[from] SealError),
    #[error("cannot {what} the agent of the swarm")]
    Agent { what: &'static str, source: io::Error },
    #[error("the agent of the swarm ended: {why}")]
    Died { why: String },
    /// In the agent's words, which are the user's.
    #[error("{words}")]
    Refused { kind: ErrorKind, words: String },
}

impl SwarmError {
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Refused { kind, .. } => *kind,
            Self::Journal(JournalError::Newer { .. }) => ErrorKind::Unsupported,
            Self::Journal(JournalError::Busy { .. }) => ErrorKind::Unavailable,
            _ => ErrorKind::Internal,
        }
    }

    /// A refusal in words of ours.
    #[must_use]
    pub fn refused(kind: ErrorKind, words: impl Into<String>) -> Self {
        Self::Refused { kind, words: words.into() }
    }
}
