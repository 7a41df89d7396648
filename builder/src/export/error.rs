//! Why a result could not be handed over.

use std::io;
use std::path::PathBuf;

use coracle_image::{ImageError, TransferError};
use coracle_words::ErrorKind;

use crate::files::FilesError;

/// Why a result could not be handed over.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExportError {
    #[error(transparent)]
    Files(#[from] FilesError),
    #[error(transparent)]
    Image(#[from] ImageError),
    #[error("failed to push {name}: {source}")]
    Push { name: String, source: TransferError },
    #[error("failed to open {source}")]
    Open { source: io::Error },
    #[error("cannot write to {}: {source}", path.display())]
    Folder { path: PathBuf, source: io::Error },
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
            Self::Push { source, .. } => source.hint(),
            _ => None,
        }
    }
}
