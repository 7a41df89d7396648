//! Documents that lead to layers and are no images: caches of builds, in an OCI layout or a registry.
//!
//! # How it works
//!
//! An artifact is an OCI manifest whose configuration has a media type of its own; its layers are
//! compressed, and each tells the digest of its archive in an annotation, as `BuildKit`'s caches do. Blobs go
//! first, what leads to them last, so that one that breaks off leaves what was there.
//!
//! # Limits
//!
//! Everything here starts threads. An index is no artifact.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use futures_util::future::join;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};

use crate::archive::{Descriptor, Index, LayoutFolder, Manifest, Source};
use crate::auth::CredentialStore;
use crate::digest::Digest;
use crate::error::ImageError;
use crate::limits::{CONFIG_BYTES_MAX, MANIFEST_BYTES_MAX};
use crate::media;
use crate::progress::{ProgressSink, Silent};
use crate::pull::for_each_endpoint;
use crate::reference::{DEFAULT_TAG, Reference};
use crate::registry::{
    self, Connection, RegistrySettings, Upload, pipe, push_endpoint, small_blob,
};
use crate::store::{Layer, LayerSource, Store};
use crate::transfer::{TransferError, in_network_loop, or_anonymous};
use crate::workers::LayerWorkers;

/// The digest of a layer's archive, as containerd and `BuildKit` write it.
const UNCOMPRESSED_ANNOTATION: &str = "containerd.io/uncompressed";
const REF_ANNOTATION: &str = "org.opencontainers.image.ref.name";

/// Where an artifact is, or is put.
#[derive(Debug, Clone)]
pub enum ArtifactPlace<'a> {
    /// An OCI layout; its entry `latest`, or its only one.
    Folder(PathBuf),
    Registry(&'a RegistrySettings, Reference),
}

/// What is at a place.
#[derive(Debug)]
pub enum FoundArtifact {
    Artifact(Artifact),
    /// Something else, of this media type.
    Other {
        media_type: String,
    },
}

/// A document, and the layers it leads to.
#[derive(Debug, Clone)]
pub struct Artifact {
    pub config: Vec<u8>,
    pub layers: Vec<ArtifactLayer>,
}

/// A layer that can be fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArtifactLayer {
    pub diff_id: Digest,
    pub blob: Descriptor,
}

impl fmt::Display for ArtifactPlace<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => write!(f, "{}", path.display()),
            Self::Registry(_, name) => f.write_str(&name.familiar()),
        }
    }
}

type Result<T> = std::result::Result<T, TransferError>;

/// Looks for an artifact whose configuration has the type `config_type`; `None`: nothing is there.
///
/// # Errors
/// When the place cannot be read, or what is there is damaged.
pub fn find_artifact(
    place: &ArtifactPlace<'_>,
    config_type: &str,
) -> Result<Option<FoundArtifact>> {
    match place {
        ArtifactPlace::Folder(path) if !path.join("index.json").exists() => Ok(None),
        ArtifactPlace::Folder(path) => Ok(Some(in_folder(path, config_type)?)),
        ArtifactPlace::Registry(settings, name) => {
            let name = name.clone().with_default_tag();
            let found = from_registry(settings, &name, async |connection: &Connection| {
                at_registry(connection, &name, config_type).await
            });
            match found {
                Err(error) if error.is_not_found() => Ok(None),
                found => found.map(Some),
            }
        }
    }
}

fn in_folder(path: &Path, config_type: &str) -> Result<FoundArtifact> {
    let source = Source::from_dir(path)?;
    let missing = |what: String| ImageError::BadArchive { why: format!("it lacks `{what}`") };
    let index = source.read("index.json", MANIFEST_BYTES_MAX)?;
    let index = index.ok_or_else(|| missing("index.json".to_owned()))?;
    let index: Index =
        serde_json::from_slice(&index).map_err(ImageError::json("the layout's index.json"))?;
    let named = |one: &&Descriptor| one.annotation(REF_ANNOTATION) == Some(DEFAULT_TAG);
    let entry = index.manifests.iter().find(named).or(index.manifests.first());
    let entry = entry.ok_or_else(|| missing("any entry".to_owned()))?;
    let read = |wanted: &Descriptor, bytes_max| {
        let name = format!("blobs/sha256/{}", wanted.digest.hex());
        let bytes = source.read(&name, bytes_max)?.ok_or_else(|| missing(name))?;
        let actual = Digest::of(&bytes);
        match actual == wanted.digest {
            true => Ok(bytes),
            false => Err(ImageError::BlobDigest { expected: wanted.digest, actual }),
        }
    };
    let manifest = read(entry, MANIFEST_BYTES_MAX)?;
    let manifest = match understood(&entry.media_type, &manifest, config_type)? {
        Ok(manifest) => manifest,
        Err(media_type) => return Ok(FoundArtifact::Other { media_type }),
    };
    let config = read(&manifest.config, CONFIG_BYTES_MAX)?;
    Ok(FoundArtifact::Artifact(Artifact { config, layers: layers(manifest) }))
}

async fn at_registry(
    connection: &Connection,
    name: &Reference,
    config_type: &str,
) -> Result<FoundArtifact> {
    let asked = name.digest().or(name.tag()).unwrap_or(DEFAULT_TAG);
    let fetched = connection.manifest(name.path(), asked).await?;
    let manifest = match understood(&fetched.media_type, &fetched.bytes, config_type)? {
        Ok(manifest) => manifest,
        Err(media_type) => return Ok(FoundArtifact::Other { media_type }),
    };
    let blob = plain(&manifest.config);
    let what = "configuration";
    let config = small_blob(connection, name.path(), &blob, what, CONFIG_BYTES_MAX).await?;
    Ok(FoundArtifact::Artifact(Artifact { config, layers: layers(manifest) }))
}

/// The manifest, or the type of what it is instead.
fn understood(
    media_type: &str,
    bytes: &[u8],
    config_type: &str,
) -> Result<std::result::Result<Manifest, String>> {
    if matches!(media_type, media::OCI_INDEX | media::DOCKER_INDEX) {
        return Ok(Err(media_type.to_owned()));
    }
    let manifest: Manifest =
        serde_json::from_slice(bytes).map_err(ImageError::json("the manifest"))?;
    match manifest.config.media_type == config_type {
        true => Ok(Ok(manifest)),
        false => Ok(Err(manifest.config.media_type)),
    }
}

/// The layers that tell what they are.
fn layers(manifest: Manifest) -> Vec<ArtifactLayer> {
    let layer = |blob: Descriptor| {
        let diff_id = blob.annotation(UNCOMPRESSED_ANNOTATION)?.parse().ok()?;
        Some(ArtifactLayer { diff_id, blob })
    };
    manifest.layers.into_iter().filter_map(layer).collect()
}

fn plain(blob: &Descriptor) -> registry::Descriptor {
    registry::Descriptor {
        media_type: blob.media_type.clone(),
        digest: blob.digest,
        size: blob.size,
        urls: Vec::new(),
        platform: None,
    }
}

/// Brings a layer of an artifact into the store.
///
/// # Errors
/// When it cannot be fetched, or is not what it should be.
pub fn fetch_artifact_layer(
    store: &Store,
    place: &ArtifactPlace<'_>,
    wanted: &ArtifactLayer,
) -> Result<Layer> {
    let source = LayerSource {
        blob_digest: Some(wanted.blob.digest),
        blob_size: Some(wanted.blob.size),
        media_type: Some(wanted.blob.media_type.clone()),
        diff_id: Some(wanted.diff_id),
    };
    if let Some(layer) = store.existing_layer(&source)? {
        return Ok(layer);
    }
    match place {
        ArtifactPlace::Folder(path) => {
            let _claim = store.lock_layer(&wanted.diff_id)?;
            let name = format!("blobs/sha256/{}", wanted.blob.digest.hex());
            let folder = Source::from_dir(path)?;
            let mut file = folder
                .open(&name)?
                .ok_or(ImageError::BlobMissing { digest: wanted.blob.digest })?;
            Ok(store.ingest_layer(&source, &mut file, &|_| {})?)
        }
        ArtifactPlace::Registry(settings, name) => {
            LayerWorkers::run(store, &Silent, 1, |workers| {
                from_registry(settings, name, async |connection: &Connection| {
                    let (reader, writer) = pipe();
                    let blob = plain(&wanted.blob);
                    let installed = workers.submit(source.clone(), reader);
                    let download = writer.download(connection, name.path(), &blob, &|_| {});
                    let (downloaded, installed) = join(download, installed).await;
                    // When the download failed, so did the reader, for that reason.
                    downloaded?;
                    Ok(installed?)
                })
            })
        }
    }
}

fn from_registry<T>(
    settings: &RegistrySettings,
    name: &Reference,
    work: impl AsyncFn(&Connection) -> Result<T>,
) -> Result<T> {
    let credentials = CredentialStore::new(settings.auth.clone());
    let sink: &dyn ProgressSink = &Silent;
    in_network_loop(for_each_endpoint(settings, Some(&credentials), name, sink, work))
}

/// Puts an artifact of these layers in its place; `tell` hears of each blob, and whether it is done.
///
/// # Errors
/// When a layer cannot be read, or the place does not take it.
pub fn put_artifact(
    store: &Store,
    place: &ArtifactPlace<'_>,
    layers: &[Layer],
    (config, config_type): (&[u8], &str),
    tell: &dyn Fn(&str, bool),
) -> Result<Digest> {
    let _hold = store.hold()?;
    let layers = store.compressed(layers, &|_, _| {})?;
    let describe = |media_type: &str, digest, size, annotations| Descriptor {
        media_type: media_type.to_owned(),
        digest,
        size,
        annotations,
        platform: None,
    };
    let of_layer = |layer: &Layer| {
        let uncompressed = (UNCOMPRESSED_ANNOTATION.to_owned(), layer.diff_id.to_string());
        let annotations = Some(BTreeMap::from([uncompressed]));
        describe(&layer.media_type, layer.blob_digest, layer.blob_size, annotations)
    };
    let manifest = Manifest {
        schema_version: 2,
        media_type: Some(media::OCI_MANIFEST.to_owned()),
        config: describe(config_type, Digest::of(config), config.len() as u64, None),
        layers: layers.iter().map(of_layer).collect(),
        annotations: None,
    };
    let bytes = serde_json::to_vec(&manifest).map_err(ImageError::json("the manifest"))?;
    let digest = Digest::of(&bytes);
    match place {
        ArtifactPlace::Folder(path) => {
            let latest = BTreeMap::from([(REF_ANNOTATION.to_owned(), DEFAULT_TAG.to_owned())]);
            let entry = describe(media::OCI_MANIFEST, digest, bytes.len() as u64, Some(latest));
            let layout = LayoutFolder::begin(path)?;
            for layer in &layers {
                let what = format!("writing layer {}", layer.blob_digest);
                tell(&what, false);
                layout.layer(store, layer)?;
                tell(&what, true);
            }
            layout.blob(config)?;
            tell(&format!("writing config {}", manifest.config.digest), true);
            layout.blob(&bytes)?;
            layout.finish(vec![entry])?;
        }
        ArtifactPlace::Registry(settings, name) => {
            let name = name.clone().with_default_tag();
            store.put_blob(config, None)?;
            let blobs = Blobs { layers: &layers, config: &manifest.config, tell };
            in_network_loop(send(store, settings, &name, &blobs, &bytes))?;
        }
    }
    tell(&format!("writing cache image manifest {digest}"), true);
    Ok(digest)
}

struct Blobs<'a> {
    layers: &'a [Layer],
    config: &'a Descriptor,
    tell: &'a dyn Fn(&str, bool),
}

async fn send(
    store: &Store,
    settings: &RegistrySettings,
    name: &Reference,
    blobs: &Blobs<'_>,
    manifest: &[u8],
) -> Result<()> {
    let credentials = CredentialStore::new(settings.auth.clone());
    let credential = or_anonymous(credentials.for_reference(name), &Silent);
    let endpoint = push_endpoint(settings, name.domain());
    let connection = Connection::open(settings, &endpoint, credential).await?;
    let repository = name.path();
    let send = async |kind: &str, digest: Digest, size: u64| -> Result<()> {
        let what = format!("writing {kind} {digest}");
        (blobs.tell)(&what, false);
        let path = store.blob_path(&digest);
        let upload = Upload { path: &path, digest, size };
        connection.push_blob(repository, &upload, &[], &|_| {}).await?;
        (blobs.tell)(&what, true);
        Ok(())
    };
    let mut all: Vec<&Layer> = blobs.layers.iter().collect();
    all.sort_by_key(|layer| layer.blob_digest);
    all.dedup_by_key(|layer| layer.blob_digest);
    stream::iter(all.into_iter().map(|layer| send("layer", layer.blob_digest, layer.blob_size)))
        .buffer_unordered(settings.max_concurrent_uploads.max(1))
        .try_collect::<()>()
        .await?;
    send("config", blobs.config.digest, blobs.config.size).await?;
    let tag = name.tag().unwrap_or(DEFAULT_TAG);
    connection.push_manifest(repository, tag, media::OCI_MANIFEST, manifest).await?;
    Ok(())
}
