//! Results of steps from and to elsewhere: `--cache-from`, `--cache-to`, as folders and in registries.
//!
//! # Form
//!
//! An artifact ([`coracle_image::put_artifact`]) whose configuration has the type [`CONFIG_TYPE`]: JSON with
//!
//! ```text
//! version    1
//! results    by id: the digest of its layer's archive, when it was made, its step, what it stands on
//! contents   by the name of a part of a result: the digest of its files, so that a step that takes files of another
//!            one is found without reading these
//! ```
//!
//! and whose layers are those of the results. Ids are those of [`crate::exec`]: whoever makes the same finds it.
//!
//! # How it works
//!
//! The configuration of each place is read before a build begins; a layer is fetched when a step needs its result, and
//! then is as good as made here. `mode=max` takes the results of all steps along, `mode=min` those of the target's own
//! stage.
//!
//! # Limits
//!
//! What `BuildKit` wrote is told and not read.

mod config;

use std::collections::HashMap;

use coracle_image::{
    Artifact, ArtifactLayer, ArtifactPlace, Digest, FoundArtifact, Layer, Store, TransferError,
    fetch_artifact_layer, find_artifact, put_artifact,
};
use serde::{Deserialize, Serialize};

pub(crate) use config::{CachedResult, Config};

/// The type of a cache's configuration.
pub(crate) const CONFIG_TYPE: &str = "application/vnd.coracle.buildcache.v1+json";
/// What `BuildKit`'s types begin with.
const OF_BUILDKIT: &str = "application/vnd.buildkit.";

/// Why a cache cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CacheError {
    #[error("{place}: not found")]
    Missing { place: String },
    #[error("{place} holds a cache of BuildKit, which is not read here")]
    OfBuildKit { place: String },
    #[error("{place} is an image and no cache of a build")]
    Image { place: String },
    #[error("{place} holds no cache of a build, but `{media_type}`")]
    Other { place: String, media_type: String },
    #[error("the cache in {place} has the form {version}, this version reads 1")]
    Version { place: String, version: u32 },
    #[error("the cache in {place} is damaged: {source}")]
    Json { place: String, source: serde_json::Error },
    #[error("{place}: {}", in_words(.source))]
    Transfer { place: String, source: TransferError },
}

/// An error and its causes.
pub(crate) fn in_words(error: &TransferError) -> String {
    let mut text = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        let words = cause.to_string();
        // A transparent error has the words of its cause.
        if !text.ends_with(&words) {
            text = format!("{text}: {words}");
        }
        next = cause.source();
    }
    text
}

/// A cache that was read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Imported {
    config: Config,
    layers: Vec<ArtifactLayer>,
}

impl Imported {
    /// The result `id`, and the layer that has it.
    pub(crate) fn find(&self, id: &Digest) -> Option<(&CachedResult, &ArtifactLayer)> {
        let result = self.config.results.get(id)?;
        let layer = self.layers.iter().find(|layer| layer.diff_id == result.layer)?;
        Some((result, layer))
    }

    /// The digest of a part of a result.
    pub(crate) fn content(&self, part: &Digest) -> Option<&str> {
        self.config.contents.get(part).map(String::as_str)
    }
}

/// Reads the configuration of a cache. Of a registry's starts threads.
///
/// # Errors
/// When there is none, or another one.
pub(crate) fn import(place: &ArtifactPlace<'_>) -> Result<Imported, CacheError> {
    let named = || place.to_string();
    let found = find_artifact(place, CONFIG_TYPE)
        .map_err(|source| CacheError::Transfer { place: named(), source })?;
    match found {
        None => Err(CacheError::Missing { place: named() }),
        Some(FoundArtifact::Artifact(artifact)) => read(artifact, named()),
        Some(FoundArtifact::Other { media_type }) => {
            let place = named();
            Err(match &*media_type {
                media_type if media_type.starts_with(OF_BUILDKIT) => {
                    CacheError::OfBuildKit { place }
                }
                media_type if media_type.contains(".image.config.") => CacheError::Image { place },
                _ => CacheError::Other { place, media_type },
            })
        }
    }
}

fn read(artifact: Artifact, place: String) -> Result<Imported, CacheError> {
    #[derive(Deserialize)]
    struct Head {
        version: u32,
    }
    let damaged = |source| CacheError::Json { place: place.clone(), source };
    let head: Head = serde_json::from_slice(&artifact.config).map_err(damaged)?;
    if head.version != config::VERSION {
        return Err(CacheError::Version { place, version: head.version });
    }
    let config = serde_json::from_slice(&artifact.config).map_err(damaged)?;
    Ok(Imported { config, layers: artifact.layers })
}

/// Brings a layer of a cache into the store. Starts threads.
///
/// # Errors
/// When it cannot be fetched, or is not what it should be.
pub(crate) fn fetch(
    store: &Store,
    place: &ArtifactPlace<'_>,
    layer: &ArtifactLayer,
) -> Result<Layer, CacheError> {
    fetch_artifact_layer(store, place, layer)
        .map_err(|source| CacheError::Transfer { place: place.to_string(), source })
}

/// Puts results and their layers in a place. Starts threads.
///
/// # Errors
/// When a layer cannot be read, or the place does not take it.
pub(crate) fn export(
    store: &Store,
    place: &ArtifactPlace<'_>,
    config: &Config,
    layers: &HashMap<Digest, Layer>,
    tell: &dyn Fn(&str, bool),
) -> Result<Digest, CacheError> {
    let mut wanted: Vec<Digest> = config.results.values().map(|result| result.layer).collect();
    wanted.sort();
    wanted.dedup();
    let layers: Vec<Layer> = wanted.iter().filter_map(|id| layers.get(id).cloned()).collect();
    let bytes = serde_json::to_vec(config)
        .map_err(|source| CacheError::Json { place: place.to_string(), source })?;
    put_artifact(store, place, &layers, (&bytes, CONFIG_TYPE), tell)
        .map_err(|source| CacheError::Transfer { place: place.to_string(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn artifact(config: &str) -> Artifact {
        Artifact { config: config.as_bytes().to_vec(), layers: Vec::new() }
    }

    #[test]
    fn a_cache_of_another_form_is_refused() {
        let why = |text: &str| read(artifact(text), "c".to_owned()).unwrap_err().to_string();
        assert_eq!(why(r#"{"version":2}"#), "the cache in c has the form 2, this version reads 1");
        assert!(why("{").starts_with("the cache in c is damaged: "));
        assert!(read(artifact(r#"{"version":1}"#), "c".to_owned()).unwrap().layers.is_empty());
    }
}
