//! Manifests and indexes as registries and archives carry them.
//!
//! # How it works
//!
//! The Docker schema 2 and the OCI forms have the same fields, so one model reads
//! both. What a document is follows from its media type, or, where that is missing,
//! from its fields.
//!
//! # Limits
//!
//! Schema 1 manifests, layers that must be fetched from elsewhere ("foreign"), and
//! artifacts that are no images are refused, each by name. The size of a document is
//! bounded by who reads it.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::media::{
    DOCKER_CONFIG, DOCKER_INDEX, DOCKER_MANIFEST, OCI_CONFIG, OCI_INDEX, OCI_MANIFEST,
};
use crate::platform::Platform;

/// The forms that are asked for.
pub(crate) const ACCEPTED_MANIFESTS: [&str; 4] =
    [DOCKER_MANIFEST, DOCKER_INDEX, OCI_MANIFEST, OCI_INDEX];

/// Why a document cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    #[error("the manifest of {name} is not valid JSON of its type")]
    Json { name: String, source: serde_json::Error },

    #[error(
        "{name} is in the old image format (manifest schema 1), which is no longer supported; \
         ask its author to publish it as an OCI or Docker schema 2 image"
    )]
    Schema1 { name: String },

    #[error("{name} has the unsupported manifest type `{media_type}`")]
    MediaType { name: String, media_type: String },

    #[error("{name} is no container image: its configuration has type `{media_type}`")]
    NotAnImage { name: String, media_type: String },

    #[error(
        "layer {layer} of {name} is foreign: it must be fetched from elsewhere, which is not supported"
    )]
    ForeignLayer { name: String, layer: String },

    #[error("layer {layer} of {name} has the unsupported type `{media_type}`")]
    LayerType { name: String, layer: String, media_type: String },

    #[error("no matching manifest for {platform} in the manifest list entries")]
    NoPlatform { platform: String },
}

/// One reference from a manifest to a blob, or from an index to a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Descriptor {
    #[serde(default)]
    pub media_type: String,
    pub digest: Digest,
    pub size: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<DescriptorPlatform>,
}

/// The platform of an index entry, as written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DescriptorPlatform {
    #[serde(default)]
    pub architecture: String,
    #[serde(default)]
    pub os: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub variant: String,
}

/// The manifest of one image for one platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Manifest {
    pub schema_version: u32,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub media_type: String,
    pub config: Descriptor,
    pub layers: Vec<Descriptor>,
}

/// A list of manifests, usually one for each platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Index {
    pub schema_version: u32,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub media_type: String,
    pub manifests: Vec<Descriptor>,
}

/// What a document turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Document {
    Manifest(Manifest),
    Index(Index),
}

/// The fields that tell documents apart.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    #[serde(default)]
    schema_version: u32,
    #[serde(default)]
    media_type: String,
    config: Option<serde::de::IgnoredAny>,
    manifests: Option<serde::de::IgnoredAny>,
}

impl Document {
    /// Reads the document of `name`. `media_type` is what its carrier said; it may
    /// be empty or something general.
    pub(crate) fn parse(name: &str, media_type: &str, bytes: &[u8]) -> Result<Self, ManifestError> {
        let json = |source| ManifestError::Json { name: name.to_owned(), source };
        let head: Head = serde_json::from_slice(bytes).map_err(json)?;
        let own = if head.media_type.is_empty() { media_type } else { &head.media_type };
        if head.schema_version == 1 || own.contains("distribution.manifest.v1") {
            return Err(ManifestError::Schema1 { name: name.to_owned() });
        }
        let is_index = match own {
            DOCKER_INDEX | OCI_INDEX => true,
            DOCKER_MANIFEST | OCI_MANIFEST => false,
            _ if head.schema_version == 2 && head.manifests.is_some() => true,
            _ if head.schema_version == 2 && head.config.is_some() => false,
            _ => {
                let (name, media_type) = (name.to_owned(), own.to_owned());
                return Err(ManifestError::MediaType { name, media_type });
            }
        };
        Ok(if is_index {
            Self::Index(serde_json::from_slice(bytes).map_err(json)?)
        } else {
            Self::Manifest(serde_json::from_slice(bytes).map_err(json)?)
        })
    }
}

impl Manifest {
    /// Refuses what cannot become a root file system.
    pub(crate) fn check(&self, name: &str) -> Result<(), ManifestError> {
        if !matches!(&*self.config.media_type, DOCKER_CONFIG | OCI_CONFIG | "") {
            return Err(ManifestError::NotAnImage {
                name: name.to_owned(),
                media_type: self.config.media_type.clone(),
            });
        }
        for layer in &self.layers {
            let (kind, id) = (layer.media_type.as_str(), layer.digest.short());
            let foreign = kind.contains(".foreign.") || kind.contains(".nondistributable.");
            if foreign || !layer.urls.is_empty() {
                return Err(ManifestError::ForeignLayer { name: name.to_owned(), layer: id });
            }
            if !is_layer_type(kind) {
                let (name, media_type) = (name.to_owned(), kind.to_owned());
                return Err(ManifestError::LayerType { name, layer: id, media_type });
            }
        }
        Ok(())
    }

    /// The media type of the manifest itself, implied where it is not written.
    pub(crate) fn effective_media_type(&self) -> &str {
        if self.media_type.is_empty() { OCI_MANIFEST } else { &self.media_type }
    }
}

/// Tar archives, plain or compressed. The content itself tells the compression.
fn is_layer_type(media_type: &str) -> bool {
    media_type.is_empty()
        || media_type.starts_with("application/vnd.docker.image.rootfs.diff.tar")
        || media_type.starts_with("application/vnd.oci.image.layer.v1.tar")
}

impl Descriptor {
    pub(crate) fn platform(&self) -> Option<Platform> {
        let platform = self.platform.as_ref()?;
        Some(Platform::new(&platform.os, &platform.architecture, &platform.variant))
    }
}

impl Index {
    /// The entry that suits `wanted` best; the first of equals.
    pub(crate) fn select(&self, wanted: &Platform) -> Option<&Descriptor> {
        let ranked = self.manifests.iter().filter(|entry| entry.is_image_entry());
        ranked
            .filter_map(|entry| wanted.rank(&entry.platform()?).map(|rank| (rank, entry)))
            .min_by_key(|(rank, _)| *rank)
            .map(|(_, entry)| entry)
            // An index of one image for one unnamed platform.
            .or_else(|| match &self.manifests[..] {
                [only] if only.platform.is_none() => Some(only),
                _ => None,
            })
    }

    /// The entries that are images; attestations are not.
    pub(crate) fn images(&self) -> impl Iterator<Item = &Descriptor> {
        self.manifests.iter().filter(|entry| entry.is_image_entry())
    }
}

impl Descriptor {
    pub(crate) fn is_image_entry(&self) -> bool {
        let known =
            matches!(&*self.media_type, DOCKER_MANIFEST | OCI_MANIFEST | DOCKER_INDEX | OCI_INDEX);
        let unknown_platform = self
            .platform
            .as_ref()
            .is_some_and(|p| p.os == "unknown" && p.architecture == "unknown");
        (known || self.media_type.is_empty()) && !unknown_platform
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const B: &str = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

    fn parse(media_type: &str, text: &str) -> Result<Document, ManifestError> {
        Document::parse("x:1", media_type, text.as_bytes())
    }

    fn manifest(config_type: &str, layer: &str) -> Manifest {
        let text = format!(
            r#"{{"schemaVersion":2,"config":{{"mediaType":"{config_type}","digest":"{A}","size":2}},
                "layers":[{{"digest":"{B}","size":3,{layer}}}]}}"#
        );
        match parse(OCI_MANIFEST, &text).unwrap() {
            Document::Manifest(manifest) => manifest,
            Document::Index(_) => panic!("it is a manifest"),
        }
    }

    #[test]
    fn kind_follows_from_the_type_or_the_fields() {
        let index = format!(
            r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"{OCI_MANIFEST}","digest":"{A}","size":1}}]}}"#
        );
        assert!(matches!(parse("", &index).unwrap(), Document::Index(_)));
        assert!(matches!(parse(DOCKER_INDEX, &index).unwrap(), Document::Index(_)));
        assert!(parse(OCI_MANIFEST, &index).is_err());
        let error = parse("text/plain", r#"{"schemaVersion":2}"#).unwrap_err();
        assert_eq!(error.to_string(), "x:1 has the unsupported manifest type `text/plain`");
    }

    #[test]
    fn schema_1_is_refused_by_name() {
        for (media_type, text) in [
            ("", r#"{"schemaVersion":1,"fsLayers":[]}"#),
            ("application/vnd.docker.distribution.manifest.v1+prettyjws", "{}"),
        ] {
            assert!(matches!(parse(media_type, text), Err(ManifestError::Schema1 { .. })));
        }
    }

    #[test]
    fn foreign_layers_and_artifacts_are_refused_by_name() {
        let tar = r#""mediaType":"application/vnd.oci.image.layer.v1.tar+zstd""#;
        assert!(manifest(OCI_CONFIG, tar).check("x:1").is_ok());

        let foreign = "layer bbbbbbbbbbbb of x:1 is foreign: it must be fetched from elsewhere, which is not supported";
        for layer in [
            r#""mediaType":"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip""#,
            r#""mediaType":"application/vnd.oci.image.layer.nondistributable.v1.tar""#,
            r#""mediaType":"application/vnd.oci.image.layer.v1.tar","urls":["http://x"]"#,
        ] {
            assert_eq!(manifest(OCI_CONFIG, layer).check("x:1").unwrap_err().to_string(), foreign);
        }
        assert_eq!(
            manifest(OCI_CONFIG, r#""mediaType":"text/plain""#)
                .check("x:1")
                .unwrap_err()
                .to_string(),
            "layer bbbbbbbbbbbb of x:1 has the unsupported type `text/plain`"
        );
        assert_eq!(
            manifest("application/vnd.cncf.helm.config.v1+json", tar)
                .check("x:1")
                .unwrap_err()
                .to_string(),
            "x:1 is no container image: its configuration has type `application/vnd.cncf.helm.config.v1+json`"
        );
    }

    #[test]
    fn selection_skips_attestations_and_takes_the_best() {
        let entry = |digest: &str, os: &str, architecture: &str| {
            format!(
                r#"{{"mediaType":"{OCI_MANIFEST}","digest":"{digest}","size":1,
                    "platform":{{"os":"{os}","architecture":"{architecture}"}}}}"#
            )
        };
        let text = format!(
            r#"{{"schemaVersion":2,"mediaType":"{OCI_INDEX}","manifests":[{},{}]}}"#,
            entry(A, "unknown", "unknown"),
            entry(B, "linux", "arm64")
        );
        let Document::Index(index) = parse("", &text).unwrap() else { panic!("it is an index") };
        let select =
            |text: &str| index.select(&text.parse().unwrap()).map(|d| d.digest.to_string());
        assert_eq!(select("linux/arm64/v8").as_deref(), Some(B));
        assert_eq!(select("linux/amd64"), None);
        assert_eq!(index.images().count(), 1);
    }
}
