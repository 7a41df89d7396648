//! What pull and push have in common: their error, and the loop they run on.

use crate::auth::{AuthError, Credential};
use crate::error::ImageError;
use crate::progress::{ProgressEvent, ProgressSink};
use crate::registry::{ManifestError, RegistryError};

/// Why a pull or a push failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransferError {
    #[error(transparent)]
    Registry(#[from] RegistryError),

    #[error(transparent)]
    Manifest(#[from] ManifestError),

    #[error(transparent)]
    Store(#[from] ImageError),

    #[error("cannot start the network loop")]
    Runtime(#[source] std::io::Error),

    #[error("the index of {name} nests too deeply")]
    IndexDepth { name: String },

    #[error("tag does not exist: {name}")]
    NoSuchTag { name: String },

    #[error("cannot push a digest reference")]
    PushByDigest,

    #[error(
        "image with reference {name} was found but does not match the specified platform: wanted \
         {wanted}, actual: {found}"
    )]
    NoSuchPlatform { name: String, wanted: String, found: String },
}

impl TransferError {
    /// Whether the registry answered that it has no such image, so that the next
    /// registry of a search may be asked.
    pub fn is_not_found(&self) -> bool {
        matches!(
            self,
            Self::Registry(
                RegistryError::ManifestNotFound { .. }
                    | RegistryError::AccessDenied { .. }
                    | RegistryError::RepositoryNotFound { .. }
            )
        )
    }

    /// Whether there was no way to the registry, as without a network.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Registry(error) if error.is_unreachable())
    }

    /// One sentence that tells the user what to do next, when we know it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Registry(error) => error.hint(),
            Self::Store(error) => error.hint(),
            _ => None,
        }
    }
}

/// What was found for a registry. A helper program that is missing or fails is no reason not
/// to fetch what everybody may have: that is tried, and the registry says if it is not enough.
pub(crate) fn or_anonymous(
    found: Result<Option<Credential>, AuthError>,
    sink: &dyn ProgressSink,
) -> Option<Credential> {
    found.unwrap_or_else(|error| {
        let mut text = error.to_string();
        let mut next = std::error::Error::source(&error);
        while let Some(cause) = next {
            // A transparent error has the words of its cause.
            let words = cause.to_string();
            if !text.ends_with(&words) {
                text = format!("{text}: {words}");
            }
            next = cause.source();
        }
        let text = format!("{text}; going on without credentials");
        sink.event(&ProgressEvent::Warning { text: &text });
        None
    })
}

/// Runs `work` to its end on a network loop of this thread.
pub(crate) fn in_network_loop<T>(
    work: impl Future<Output = Result<T, TransferError>>,
) -> Result<T, TransferError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()
        .map_err(TransferError::Runtime)?
        .block_on(work)
}
