//! Manifests and indexes, as far as archives need them.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use crate::digest::Digest;
use crate::error::{ImageError, Result};
use crate::media;
use crate::platform::Platform;
use crate::store::Layer;

/// A reference to a blob.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    #[serde(default)]
    pub media_type: String,
    pub digest: Digest,
    #[serde(default)]
    pub size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<BTreeMap<String, String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<PlatformFields>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlatformFields {
    #[serde(default)]
    pub architecture: String,
    #[serde(default)]
    pub os: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

/// An image manifest, OCI or Docker schema 2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    pub schema_version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    pub config: Descriptor,
    #[serde(default, deserialize_with = "or_empty")]
    pub layers: Vec<Descriptor>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<BTreeMap<String, String>>,
}

/// An index of manifests, OCI or Docker's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    pub schema_version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    #[serde(default, deserialize_with = "or_empty")]
    pub manifests: Vec<Descriptor>,
}

fn or_empty<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Vec<Descriptor>, D::Error> {
    Option::<Vec<Descriptor>>::deserialize(deserializer).map(Option::unwrap_or_default)
}

impl Descriptor {
    pub(crate) fn annotation(&self, key: &str) -> Option<&str> {
        self.annotations.as_ref()?.get(key).map(String::as_str)
    }

    pub(super) fn platform(&self) -> Option<Platform> {
        let fields = self.platform.as_ref()?;
        let variant = fields.variant.as_deref().unwrap_or_default();
        Some(Platform::new(&fields.os, &fields.architecture, variant))
    }

    /// BuildKit's provenance beside an image: not an image.
    pub(super) fn is_attestation(&self) -> bool {
        self.annotation("vnd.docker.reference.type").is_some()
            || self.platform.as_ref().is_some_and(|p| p.os == "unknown")
    }
}

impl Manifest {
    /// The manifest of an image made here, and its media type.
    pub(super) fn of(config: &[u8], layers: &[Layer]) -> Result<(Vec<u8>, String)> {
        manifest_of(config, layers, BTreeMap::new())
    }
}

/// The OCI manifest of an image made here, and its media type. Layers that came with a type of
/// Docker's get OCI's for the same content.
pub fn manifest_of(
    config: &[u8],
    layers: &[Layer],
    annotations: BTreeMap<String, String>,
) -> Result<(Vec<u8>, String)> {
    let plain = |media_type: &str, digest, size| Descriptor {
        media_type: media_type.to_owned(),
        digest,
        size,
        annotations: None,
        platform: None,
    };
    let layer_type = |layer: &Layer| match &*layer.media_type {
        media::DOCKER_LAYER_GZIP => media::OCI_LAYER_GZIP.to_owned(),
        other => other.to_owned(),
    };
    let manifest = Manifest {
        schema_version: 2,
        media_type: Some(media::OCI_MANIFEST.to_owned()),
        config: plain(media::OCI_CONFIG, Digest::of(config), config.len() as u64),
        layers: layers
            .iter()
            .map(|layer| plain(&layer_type(layer), layer.blob_digest, layer.blob_size))
            .collect(),
        annotations: Some(annotations).filter(|all| !all.is_empty()),
    };
    let bytes = serde_json::to_vec(&manifest).map_err(ImageError::json("the manifest"))?;
    Ok((bytes, media::OCI_MANIFEST.to_owned()))
}

/// The annotations of a manifest; none when it cannot be read.
pub(crate) fn annotations(manifest: &[u8]) -> BTreeMap<String, String> {
    let manifest = serde_json::from_slice::<Manifest>(manifest).ok();
    manifest.and_then(|manifest| manifest.annotations).unwrap_or_default()
}
