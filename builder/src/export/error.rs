//! Why a result could not be handed over.

use std::io;
use std::path::PathBuf;

use coracle_image::{ImageError, TransferError};
use coracle_words::ErrorKind;

use crate::cache_transfer::in_words;
use crate::files::FilesError;

/// Why a result could not be handed over.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExportError {
    #[error(transparent)]
    Files(#[from] FilesError),
    #[error(transparent)]
    Image(#[from] ImageError),
    // What it is because of is in the words: those of several libraries repeat each other's.
    #[error("failed to push {name}: {}", in_words(.why))]
    Push { name: String, why: Box<TransferError> },
    #[error("failed to open {why}")]
    Open { why: io::Error },
    #[error("cannot write to {}: {why}", path.display())]
    Folder { path: PathBuf, why: io::Error },
    #[error("tag is needed when pushing to registry")]
    NoName,
    #[error("standard output is not open")]
    NoStandardOutput,
}

impl ExportError {
    pub(crate) fn kind(&self) -> ErrorKind {
        match self {
            Self::Files(error) => error.kind(),
            Self::Image(error) => error.kind(),
            Self::Push { .. } => ErrorKind::Unavailable,
            Self::NoName => ErrorKind::BadRequest,
            Self::Open { .. } | Self::Folder { .. } | Self::NoStandardOutput => ErrorKind::Internal,
        }
    }

    /// What can be done about it.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Image(error) => error.hint(),
            Self::Push { why, .. } => why.hint(),
            _ => None,
        }
    }
}
