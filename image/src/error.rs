//! What can go wrong in the store and with archives.
//!
//! Messages say what we were doing to which object; the cause is the `source`.
//! Texts that Docker users know (`No such image: x`, `conflict: …`) are Docker's.

use std::io;
use std::path::{Path, PathBuf};

use crate::digest::{Digest, DigestError};
use crate::limits::LAYERS_MAX;
use crate::reference::ReferenceError;
use crate::tar::TarError;
use crate::unpack::UnpackError;

/// Result of this crate's store and archive functions.
pub type Result<T> = std::result::Result<T, ImageError>;

/// Why something could not be done with images.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    #[error(
        "{name} stands for an index of {listed} images, of which {here} are here; pull it again with \
         --all-platforms, or push one with --platform"
    )]
    IndexIncomplete { name: String, here: usize, listed: usize },

    #[error("cannot {doing} `{}`", path.display())]
    Io { doing: &'static str, path: PathBuf, source: io::Error },

    #[error(transparent)]
    Digest(#[from] DigestError),

    #[error(transparent)]
    Reference(#[from] ReferenceError),

    #[error("blob {expected} is damaged: its content has the digest {actual}")]
    BlobDigest { expected: Digest, actual: Digest },

    #[error("blob has {actual} bytes instead of {expected}")]
    BlobSize { expected: u64, actual: u64 },

    #[error("layer is damaged: it unpacks to {actual} instead of {expected}")]
    DiffId { expected: Digest, actual: Digest },

    #[error("cannot read the data of layer {layer}")]
    LayerRead { layer: String, source: io::Error },

    #[error("cannot unpack layer {layer}")]
    Unpack { layer: String, source: UnpackError },

    #[error("unsupported layer type `{media_type}`: {why}")]
    LayerType { media_type: String, why: &'static str },

    #[error("blob {digest} is not in the store")]
    BlobMissing { digest: Digest },

    #[error("layer {diff_id} is not in the store")]
    LayerMissing { diff_id: Digest },

    #[error("layer {diff_id} is damaged: its folder packs to {actual}")]
    LayerDamaged { diff_id: Digest, actual: Digest },

    #[error("cannot read {what}")]
    Json { what: String, source: serde_json::Error },

    #[error("`{}` was written by a newer version: format {found}, this one reads up to {known}", path.display())]
    NewerFormat { path: PathBuf, found: u32, known: u32 },

    #[error("cannot understand `{}`", path.display())]
    IndexDamaged { path: PathBuf, source: serde_json::Error },

    #[error("`{}` is missing, though images are stored", path.display())]
    IndexMissing { path: PathBuf },

    #[error("{what} is too large: {bytes} bytes, at most {limit} are accepted")]
    TooLarge { what: String, bytes: u64, limit: u64 },

    #[error("an image may have at most {LAYERS_MAX} layers, this one would have {layers}")]
    TooManyLayers { layers: usize },

    #[error("image configuration lists {config} layers, its manifest {manifest}")]
    LayerCount { config: usize, manifest: usize },

    #[error("No such image: {name}")]
    NoSuchImage { name: String },

    #[error("image id prefix `{prefix}` is ambiguous: it matches several images")]
    AmbiguousId { prefix: String },

    #[error("conflict: {what}")]
    Conflict { what: String },

    #[error("refusing to create a tag with a digest reference")]
    TagWithDigest,

    #[error("refusing to create an ambiguous tag using digest algorithm as name")]
    AmbiguousTag,

    #[error("cannot load the archive: {why}")]
    BadArchive { why: String },

    #[error("cannot read the archive")]
    ArchiveData { source: io::Error },

    #[error("cannot read the archive")]
    ArchiveTar { source: TarError },

    #[error("no image for {wanted} in the archive; it has {available}")]
    NoPlatform { wanted: String, available: String },

    #[error("it is not a container image, but of type `{media_type}`")]
    NotAnImage { media_type: String },

    #[error("cannot tell which images are in use")]
    Users { source: Box<dyn std::error::Error + Send + Sync> },

    #[error("cannot read the archive's entry `{entry}`")]
    ArchiveEntry { entry: String, source: io::Error },

    #[error("cannot load image `{image}` from the archive")]
    LoadImage { image: String, source: Box<ImageError> },

    #[error("{instruction} is not a valid change command")]
    ChangeCommand { instruction: String },

    #[error("{instruction}: {why}")]
    Change { instruction: String, why: String },

    #[error("cannot pack `{entry}`")]
    Pack { entry: String, source: io::Error },
}

/// An error and its causes in one line.
pub(crate) fn in_one_line(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

impl ImageError {
    /// What the user can do about it, when we know.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::BlobDigest { .. } | Self::BlobSize { .. } => {
                Some("the transfer was damaged or cut short; try again".to_owned())
            }
            Self::BlobMissing { .. } | Self::LayerMissing { .. } => {
                Some("pull or load the image again".to_owned())
            }
            Self::IndexDamaged { .. } | Self::IndexMissing { .. } => {
                Some("`coracle system check --repair` makes it anew from what is stored".to_owned())
            }
            Self::NewerFormat { .. } => Some("use the newer version for this data".to_owned()),
            Self::AmbiguousId { .. } => Some("give more digits of the id".to_owned()),
            Self::Io { source, .. } | Self::Pack { source, .. }
                if source.kind() == io::ErrorKind::StorageFull =>
            {
                Some("the disk is full; `coracle system prune` removes what is unused".to_owned())
            }
            Self::Unpack { source, .. } => source.hint(),
            Self::LoadImage { source, .. } => source.hint(),
            _ => None,
        }
    }

    /// Whether nobody can tell which images there are, while all else is as it was.
    pub fn is_index_unreadable(&self) -> bool {
        matches!(
            self,
            Self::IndexDamaged { .. } | Self::IndexMissing { .. } | Self::NewerFormat { .. }
        )
    }

    /// For `map_err`: names the step and the path an I/O error belongs to.
    pub(crate) fn io<E: Into<io::Error>>(
        doing: &'static str,
        path: &Path,
    ) -> impl FnOnce(E) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { doing, path, source: source.into() }
    }

    pub(crate) fn json(what: impl Into<String>) -> impl FnOnce(serde_json::Error) -> Self {
        let what = what.into();
        move |source| Self::Json { what, source }
    }
}
