//! What is to be loaded of an archive: its images and their layers, before anything is read of them.
//!
//! Both forms, Docker's and the OCI layout's, are read into this; [`super::load`] carries it out.

use super::manifest::Descriptor;
use super::source::Source;
use crate::digest::Digest;
use crate::error::{ImageError, Result};
use crate::limits::CONFIG_BYTES_MAX;
use crate::platform::Platform;
use crate::reference::Reference;

#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// `--platform`: only images for one of these; all when there are none.
    pub platforms: Vec<Platform>,
}

/// An image of an archive, ready to be loaded.
pub(super) struct LoadPlan {
    pub(super) config: Vec<u8>,
    /// The manifest it came with, if any.
    pub(super) manifest: Option<(Vec<u8>, String)>,
    /// Bottom first.
    pub(super) layers: Vec<PlannedLayer>,
    pub(super) names: Vec<Reference>,
}

pub(super) struct PlannedLayer {
    /// Its file in the archive.
    pub(super) file: String,
    pub(super) blob_digest: Option<Digest>,
    pub(super) blob_size: Option<u64>,
    pub(super) media_type: Option<String>,
}

impl PlannedLayer {
    pub(super) fn of(descriptor: &Descriptor) -> Self {
        Self {
            file: blob_name(&descriptor.digest),
            blob_digest: Some(descriptor.digest),
            blob_size: Some(descriptor.size),
            media_type: Some(descriptor.media_type.clone()).filter(|t| !t.is_empty()),
        }
    }
}

/// Reads an image's configuration, which must have the digest its name promises.
pub(super) fn read_config(source: &Source, name: &str, digest: Option<Digest>) -> Result<Vec<u8>> {
    let bytes = source.read(name, CONFIG_BYTES_MAX)?.ok_or_else(|| missing(name))?;
    match digest {
        Some(expected) if expected != Digest::of(&bytes) => {
            Err(ImageError::BlobDigest { expected, actual: Digest::of(&bytes) })
        }
        _ => Ok(bytes),
    }
}

pub(super) fn missing(name: &str) -> ImageError {
    ImageError::BadArchive { why: format!("it lacks `{name}`") }
}

/// A blob's file in an OCI layout.
pub(super) fn blob_name(digest: &Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

/// The digest a blob's file name promises.
pub(super) fn digest_of_name(name: &str) -> Option<Digest> {
    Digest::from_hex(name.strip_prefix("blobs/sha256/")?).ok()
}
