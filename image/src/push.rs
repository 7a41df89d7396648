//! Pushing: from an image in the store to a registry.
//!
//! # How it works
//!
//! An image that came from a registry is sent byte for byte, so that it keeps its
//! digest. One made here may have uncompressed layers, or layers without a blob; these are
//! compressed first, on all processors and always to the same bytes, and the store keeps the
//! result: the next push finds it.
//! Blobs go first, several at once; the manifest last.
//!
//! A name that stands for an index (`pull --all-platforms`) is pushed whole: each image by
//! its digest, what the index lists beside them, then the index byte for byte.

use futures_util::stream::{self, StreamExt, TryStreamExt};
use std::collections::HashSet;

use crate::archive;
use crate::auth::CredentialStore;
use crate::digest::Digest;
use crate::error::ImageError;
use crate::limits::MANIFEST_BYTES_MAX;
use crate::platform::Platform;
use crate::progress::{LayerEvent, ProgressEvent, ProgressSink};
use crate::reference::{DEFAULT_TAG, Reference};
use crate::registry::{Connection, Document, RegistrySettings, Sent, Upload, push_endpoint};
use crate::store::{Image, Layer, NamedIndex, NewImage, Store};
use crate::transfer::{TransferError, in_network_loop, or_anonymous};

/// What a push left in the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushOutcome {
    pub tag: String,
    pub digest: Digest,
    /// Bytes of the manifest.
    pub size: usize,
}

impl std::fmt::Display for PushOutcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: digest: {} size: {}", self.tag, self.digest, self.size)
    }
}

/// Pushes the image that `reference` names here; a bare name means its `latest` tag. With a
/// platform, only the image for that one, as a single image.
pub fn push(
    store: &Store,
    settings: &RegistrySettings,
    reference: &Reference,
    platform: Option<&Platform>,
    sink: &dyn ProgressSink,
) -> Result<PushOutcome, TransferError> {
    if reference.digest().is_some() {
        return Err(TransferError::PushByDigest);
    }
    let reference = reference.clone().with_default_tag();
    sink.event(&ProgressEvent::PushingTo { repository: &reference.repository() });
    let _hold = store.hold()?;
    let content = content(store, &reference, platform, sink)?;
    in_network_loop(async {
        let credentials = CredentialStore::new(settings.auth.clone());
        let credential = or_anonymous(credentials.for_reference(&reference), sink);
        let endpoint = push_endpoint(settings, reference.domain());
        let connection = Connection::open(settings, &endpoint, credential).await?;
        let job = Job { store, settings, reference: &reference, sink, connection: &connection };
        match &content {
            Content::Image(image) => job.push(image).await,
            Content::Index(named, images) => job.push_index(named, images).await,
        }
    })
}

/// What a name stands for in a push.
enum Content {
    Image(Image),
    Index(NamedIndex, Vec<Image>),
}

fn content(
    store: &Store,
    reference: &Reference,
    platform: Option<&Platform>,
    sink: &dyn ProgressSink,
) -> Result<Content, TransferError> {
    let image = find(store, reference)?;
    let image = match (platform, store.named_index(reference)?) {
        (None, None) => image,
        (None, Some((named, images))) if images.len() == named.images.len() => {
            for image in &images {
                announce(image, sink);
            }
            return Ok(Content::Index(named, images));
        }
        (None, Some((named, images))) => {
            let (here, listed) = (images.len(), named.images.len());
            return Err(
                ImageError::IndexIncomplete { name: reference.familiar(), here, listed }.into()
            );
        }
        (Some(wanted), _) => {
            store.find_variant(&reference.to_string(), wanted)?.ok_or_else(|| {
                let (name, wanted) = (reference.familiar(), wanted.to_string());
                TransferError::NoSuchPlatform { name, wanted, found: image.platform().to_string() }
            })?
        }
    };
    distributable(store, image, sink).map(Content::Image)
}

fn announce(image: &Image, sink: &dyn ProgressSink) {
    for layer in image.layers.iter().rev() {
        let id = layer.diff_id.short();
        sink.event(&ProgressEvent::Layer { id: &id, event: LayerEvent::Waiting });
    }
}

fn find(store: &Store, reference: &Reference) -> Result<Image, TransferError> {
    let found = store.images()?.into_iter().find(|image| image.names.contains(reference));
    found.ok_or_else(|| TransferError::NoSuchTag { name: reference.familiar() })
}

/// The image with layers as registries expect them.
fn distributable(
    store: &Store,
    image: Image,
    sink: &dyn ProgressSink,
) -> Result<Image, TransferError> {
    announce(&image, sink);
    let came = |name: &Reference| name.digest() == Some(&*image.manifest_digest.to_string());
    if image.repo_digests.iter().any(came) || image.layers.iter().all(Layer::is_compressed) {
        return Ok(image);
    }
    let layers = store.compressed(&image.layers, &|layer, current| {
        let event = LayerEvent::Compressing { current, total: layer.blob_size };
        sink.event(&ProgressEvent::Layer { id: &layer.diff_id.short(), event });
    })?;
    let config_bytes = store.config_bytes(&image.id)?;
    let annotations = archive::annotations(&store.manifest_bytes(&image)?);
    let (manifest_bytes, manifest_media_type) =
        archive::manifest_of(&config_bytes, &layers, annotations)?;
    store.commit_image(&NewImage {
        config_bytes,
        manifest_bytes,
        manifest_media_type,
        layers,
        parent: image.parent,
        ..NewImage::default()
    })?;
    Ok(store.get(&image.id)?)
}

/// One push to one server.
struct Job<'a> {
    store: &'a Store,
    settings: &'a RegistrySettings,
    reference: &'a Reference,
    sink: &'a dyn ProgressSink,
    connection: &'a Connection,
}

impl Job<'_> {
    async fn push(&self, image: &Image) -> Result<PushOutcome, TransferError> {
        let tag = self.reference.tag().unwrap_or(DEFAULT_TAG);
        let size = self.send(image, tag).await?;
        self.pushed(image, image.manifest_digest, size)
    }

    /// Sends every image of an index, what it lists beside them, and the index itself.
    async fn push_index(
        &self,
        named: &NamedIndex,
        images: &[Image],
    ) -> Result<PushOutcome, TransferError> {
        let repository = self.reference.path();
        for image in images {
            self.send(image, &image.manifest_digest.to_string()).await?;
        }
        for attached in &named.attached {
            for blob in &attached.blobs {
                let path = self.store.blob_path(&blob.digest);
                let blob = Upload { path: &path, digest: blob.digest, size: blob.size };
                self.connection.push_blob(repository, &blob, &[], &|_| {}).await?;
            }
            let bytes = self.store.read_blob(&attached.manifest, MANIFEST_BYTES_MAX)?;
            let digest = attached.manifest.to_string();
            self.connection
                .push_manifest(repository, &digest, &attached.media_type, &bytes)
                .await?;
        }
        let tag = self.reference.tag().unwrap_or(DEFAULT_TAG);
        let bytes = self.store.named_index_bytes(named)?;
        self.connection.push_manifest(repository, tag, &named.media_type, &bytes).await?;
        let named_image = find(self.store, self.reference)?;
        self.pushed(&named_image, named.digest, bytes.len())
    }

    /// Remembers under which digest the registry knows the image now.
    fn pushed(
        &self,
        image: &Image,
        digest: Digest,
        size: usize,
    ) -> Result<PushOutcome, TransferError> {
        let tag = self.reference.tag().unwrap_or(DEFAULT_TAG).to_owned();
        let repo_digest =
            self.reference.with_digest(&digest.to_string()).map_err(ImageError::from)?;
        self.store.add_repo_digest(&image.id, &repo_digest)?;
        Ok(PushOutcome { tag, digest, size })
    }

    /// Sends the blobs of one image, then its manifest under `name`, a tag or its digest; the
    /// bytes of the manifest.
    async fn send(&self, image: &Image, name: &str) -> Result<usize, TransferError> {
        let repository = self.reference.path();
        let manifest = self.store.manifest_bytes(image)?;
        let shown = self.reference.familiar();
        let document = Document::parse(&shown, &image.manifest_media_type, &manifest)?;

        let mut seen = HashSet::new();
        let layers = image.layers.iter().rev().filter(|layer| seen.insert(layer.blob_digest));
        let all = self.store.images()?;
        let uploads = layers.map(|layer| self.layer(layer, &all));
        stream::iter(uploads)
            .buffer_unordered(self.settings.max_concurrent_uploads.max(1))
            .try_collect::<()>()
            .await?;
        // The configuration blob has the size the manifest tells.
        if let Document::Manifest(manifest) = &document {
            let path = self.store.blob_path(&image.id);
            let blob = Upload { path: &path, digest: image.id, size: manifest.config.size };
            self.connection.push_blob(repository, &blob, &[], &|_| {}).await?;
        }
        let media_type = match &document {
            Document::Manifest(manifest) => manifest.effective_media_type(),
            Document::Index(_) => &image.manifest_media_type,
        };
        self.connection.push_manifest(repository, name, media_type, &manifest).await?;
        Ok(manifest.len())
    }

    async fn layer(&self, layer: &Layer, all: &[Image]) -> Result<(), TransferError> {
        let id = layer.diff_id.short();
        let tell = |event| self.sink.event(&ProgressEvent::Layer { id: &id, event });
        let path = self.store.blob_path(&layer.blob_digest);
        let blob = Upload { path: &path, digest: layer.blob_digest, size: layer.blob_size };
        let sources = self.mount_sources(&layer.blob_digest, all);
        let sent = self.connection.push_blob(self.reference.path(), &blob, &sources, &tell).await?;
        tell(match sent {
            Sent::Existed => LayerEvent::LayerAlreadyExists,
            Sent::Mounted { from } => LayerEvent::MountedFrom { repository: from },
            Sent::Uploaded => LayerEvent::Pushed,
        });
        Ok(())
    }

    /// Other repositories of the same registry that have the blob, as far as we know.
    fn mount_sources(&self, blob: &Digest, all: &[Image]) -> Vec<String> {
        let mut sources: Vec<String> = all
            .iter()
            .filter(|image| image.layers.iter().any(|layer| layer.blob_digest == *blob))
            .flat_map(|image| &image.repo_digests)
            .filter(|name| name.domain() == self.reference.domain())
            .map(|name| name.path().to_owned())
            .filter(|path| path != self.reference.path())
            .collect();
        sources.sort();
        sources.dedup();
        sources
    }
}
