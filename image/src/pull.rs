//! Pulling: from a name to an image in the store.
//!
//! # How it works
//!
//! ```text
//! network thread                    one thread for each layer in work
//! manifest ─> config ─> layers ──┬─> queue ─> store: verify, unpack ──┐
//!                                └─> queue ─> store: verify, unpack ──┴─> image row
//! ```
//!
//! Each layer is claimed by the store's lock first, so that of several processes
//! one fetches it and the others find it there. The image row is written last:
//! whatever happens before leaves no image, only layers that the next pull finds.
//! Mirrors are tried in turn; a later server takes up the layers already here.
//!
//! # Limits
//!
//! As many layers are in work at once as downloads are permitted.

use futures_util::future::{join, try_join_all};

use crate::auth::CredentialStore;
use crate::config::ImageConfig;
use crate::digest::Digest;
use crate::error::ImageError;
use crate::limits::{ATTACHED_BYTES_MAX, CONFIG_BYTES_MAX, INDEX_DEPTH_MAX};
use crate::platform::Platform;
use crate::progress::{LayerEvent, ProgressEvent, ProgressSink};
use crate::reference::{DEFAULT_TAG, Reference};
use crate::registry::{
    Connection, Descriptor, Document, Endpoint, FetchedManifest, Index, Manifest, ManifestError,
    RegistryError, RegistrySettings, pipe, pull_endpoints, small_blob,
};
use crate::store::{
    Attached, AttachedBlob, Image, Layer, LayerSource, NamedIndex, NewImage, Store,
};
use crate::transfer::{TransferError, in_network_loop, or_anonymous};
use crate::workers::LayerWorkers;

/// What to pull.
#[derive(Debug, Clone, Default)]
pub struct PullOptions {
    /// The platform wanted; without one, this machine's.
    pub platform: Option<Platform>,
    /// Every platform the index lists. The name goes to the one that suits best, and stands for
    /// the whole index in a push.
    pub all_platforms: bool,
}

/// What a pull brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullOutcome {
    /// The name with its tag or digest.
    pub reference: Reference,
    /// Digest of what the name stands for in the registry: an index or a manifest.
    pub digest: Digest,
    /// Digest of the configuration.
    pub image_id: Digest,
    /// The name led to this image before.
    pub up_to_date: bool,
    /// A line for the user, as Docker words it.
    pub warning: Option<String>,
}

impl PullOutcome {
    /// The line a pull ends with.
    pub fn status(&self) -> String {
        let name = self.reference.familiar();
        if self.up_to_date {
            format!("Status: Image is up to date for {name}")
        } else {
            format!("Status: Downloaded newer image for {name}")
        }
    }
}

/// Pulls the image that `reference` names; a bare name means its `latest` tag.
pub fn pull(
    store: &Store,
    settings: &RegistrySettings,
    reference: &Reference,
    options: &PullOptions,
    sink: &dyn ProgressSink,
) -> Result<PullOutcome, TransferError> {
    let reference = reference.clone().with_default_tag();
    let credentials = CredentialStore::new(settings.auth.clone());
    LayerWorkers::run(store, sink, settings.max_concurrent_downloads, |workers| {
        let work = async |connection: &Connection| {
            Job { store, options, sink, workers, connection }.pull(&reference).await
        };
        in_network_loop(for_each_endpoint(settings, Some(&credentials), &reference, sink, work))
    })
}

/// Pulls every tag of a repository, in the registry's order.
pub fn pull_all_tags(
    store: &Store,
    settings: &RegistrySettings,
    repository: &Reference,
    options: &PullOptions,
    sink: &dyn ProgressSink,
) -> Result<Vec<PullOutcome>, TransferError> {
    let credentials = CredentialStore::new(settings.auth.clone());
    LayerWorkers::run(store, sink, settings.max_concurrent_downloads, |workers| {
        let work = async |connection: &Connection| {
            let job = Job { store, options, sink, workers, connection };
            let mut outcomes = Vec::new();
            for tag in connection.tags(repository.path()).await? {
                let Ok(tagged) = repository.with_tag(&tag) else { continue };
                outcomes.push(job.pull(&tagged).await?);
            }
            Ok(outcomes)
        };
        in_network_loop(for_each_endpoint(settings, Some(&credentials), repository, sink, work))
    })
}

/// Runs `work` with a connection to each server of the registry until one succeeds.
pub(crate) async fn for_each_endpoint<T>(
    settings: &RegistrySettings,
    credentials: Option<&CredentialStore>,
    reference: &Reference,
    sink: &dyn ProgressSink,
    work: impl AsyncFn(&Connection) -> Result<T, TransferError>,
) -> Result<T, TransferError> {
    let endpoints = pull_endpoints(settings, reference.domain())?;
    let attempt = async |endpoint: &Endpoint| {
        let credential = match credentials {
            Some(all) if endpoint.is_mirror => all.for_registry(&endpoint.host),
            Some(all) => all.for_reference(reference),
            None => Ok(None),
        };
        let credential = or_anonymous(credential, sink);
        let connection = Connection::open(settings, endpoint, credential);
        work(&connection.await.map_err(|error| unresolved(error, reference))?).await
    };
    for mirror in &endpoints.mirrors {
        // Whatever is wrong with a mirror, the registry itself may do better.
        if let Ok(done) = attempt(mirror).await {
            return Ok(done);
        }
    }
    attempt(&endpoints.registry).await.map_err(|error| explain(error, reference))
}

/// Nothing answers where the image should be.
fn unresolved(error: RegistryError, reference: &Reference) -> RegistryError {
    match error {
        RegistryError::Transport { .. } => {
            RegistryError::Unresolved { reference: reference.to_string(), error: Box::new(error) }
        }
        other => other,
    }
}

/// Words a refusal by what was asked for, as Docker does.
fn explain(error: TransferError, reference: &Reference) -> TransferError {
    let (refusal, status, retry_after) = match error {
        TransferError::Registry(RegistryError::Refused { refusal, status, retry_after }) => {
            (refusal, status, retry_after)
        }
        TransferError::Registry(RegistryError::NoCredentials { url, .. }) => {
            let reference = reference.to_string();
            return RegistryError::Unauthorized { reference, url }.into();
        }
        other => return other,
    };
    let repository = reference.familiar_repository();
    TransferError::Registry(match &*refusal.code {
        "MANIFEST_UNKNOWN" | "NOT_FOUND" => {
            RegistryError::ManifestNotFound { reference: reference.to_string(), refusal }
        }
        "DENIED" => RegistryError::AccessDenied { repository, refusal },
        "NAME_UNKNOWN" => RegistryError::RepositoryNotFound { repository, refusal },
        _ => RegistryError::Refused { refusal, status, retry_after },
    })
}

/// One pull from one server.
#[derive(Clone, Copy)]
struct Job<'a> {
    store: &'a Store,
    options: &'a PullOptions,
    sink: &'a dyn ProgressSink,
    workers: &'a LayerWorkers,
    connection: &'a Connection,
}

/// A manifest that was chosen, with its bytes.
struct Chosen {
    fetched: FetchedManifest,
    manifest: Manifest,
}

/// An index that is pulled whole, with its bytes.
struct ChosenIndex {
    fetched: FetchedManifest,
    index: Index,
}

impl Job<'_> {
    async fn pull(&self, reference: &Reference) -> Result<PullOutcome, TransferError> {
        let name = reference.familiar();
        let asked = reference.digest().or(reference.tag()).unwrap_or(DEFAULT_TAG);
        let top = self.connection.manifest(reference.path(), asked).await?;
        // Docker names a digest reference whole here, and a tag alone.
        let by_digest;
        let what = match reference.digest() {
            Some(digest) => {
                by_digest = reference.with_digest(digest).map_err(ImageError::from)?.familiar();
                &by_digest
            }
            None => asked,
        };
        self.sink.event(&ProgressEvent::PullingFrom { what, repository: reference.path() });

        let digest = top.digest;
        let (mut chosen, index) = self.choose(reference, top).await?;
        let first = chosen.remove(0);
        let image_id = first.manifest.config.digest;
        let before = self.store.find(&name).ok().map(|image| image.id);
        let warning = self.bring(reference, &first, Some(digest)).await?;
        for other in &chosen {
            self.bring(reference, other, None).await?;
        }
        if let Some(index) = index {
            self.keep_index(reference, &index).await?;
        }
        self.sink.event(&ProgressEvent::Digest { digest });
        let up_to_date = before == Some(image_id);
        Ok(PullOutcome { reference: reference.clone(), digest, image_id, up_to_date, warning })
    }

    /// The manifests to bring, of which the first one gets the name, and the index to keep.
    async fn choose(
        &self,
        reference: &Reference,
        top: FetchedManifest,
    ) -> Result<(Vec<Chosen>, Option<ChosenIndex>), TransferError> {
        let name = reference.familiar();
        let wanted = self.options.platform.clone().unwrap_or_else(Platform::of_cpu);
        let mut fetched = top;
        for _ in 0..INDEX_DEPTH_MAX {
            let index = match Document::parse(&name, &fetched.media_type, &fetched.bytes)? {
                Document::Manifest(manifest) => {
                    manifest.check(&name)?;
                    return Ok((vec![Chosen { fetched, manifest }], None));
                }
                Document::Index(index) => index,
            };
            if self.options.all_platforms {
                let chosen = self.choose_all(reference, &index, &wanted).await?;
                return Ok((chosen, Some(ChosenIndex { fetched, index })));
            }
            let entry = index.select(&wanted).ok_or_else(|| ManifestError::NoPlatform {
                platform: match &self.options.platform {
                    Some(asked) => asked.to_string(),
                    None => Platform::host().with_usual_variant(),
                },
            })?;
            let digest = entry.digest.to_string();
            fetched = self.connection.manifest(reference.path(), &digest).await?;
        }
        Err(TransferError::IndexDepth { name })
    }

    async fn choose_all(
        &self,
        reference: &Reference,
        index: &Index,
        wanted: &Platform,
    ) -> Result<Vec<Chosen>, TransferError> {
        let name = reference.familiar();
        let best = index.select(wanted).map(|entry| entry.digest);
        let mut chosen = Vec::new();
        for entry in index.images() {
            let digest = entry.digest.to_string();
            let fetched = self.connection.manifest(reference.path(), &digest).await?;
            let document = Document::parse(&name, &fetched.media_type, &fetched.bytes)?;
            let Document::Manifest(manifest) = document else {
                return Err(TransferError::IndexDepth { name });
            };
            manifest.check(&name)?;
            let at = if Some(entry.digest) == best { 0 } else { chosen.len() };
            chosen.insert(at, Chosen { fetched, manifest });
        }
        if chosen.is_empty() {
            let shown = self.options.platform.clone().unwrap_or_else(Platform::host);
            return Err(ManifestError::NoPlatform { platform: shown.with_usual_variant() }.into());
        }
        Ok(chosen)
    }

    /// Remembers the index that the name stands for, with what it lists beside images.
    async fn keep_index(
        &self,
        reference: &Reference,
        ChosenIndex { fetched, index }: &ChosenIndex,
    ) -> Result<(), TransferError> {
        let mut attached = Vec::new();
        for entry in index.manifests.iter().filter(|entry| !entry.is_image_entry()) {
            attached.push(self.attached(reference, entry).await?);
        }
        let name = match reference.digest() {
            Some(digest) => reference.with_digest(digest).map_err(ImageError::from)?,
            None => reference.clone(),
        };
        let named = NamedIndex {
            digest: fetched.digest,
            media_type: fetched.media_type.clone(),
            images: index.images().map(|entry| entry.digest).collect(),
            attached,
        };
        Ok(self.store.set_named_index(&name, &fetched.bytes, named)?)
    }

    /// Brings a manifest that is no image, and its blobs, as they are.
    async fn attached(
        &self,
        reference: &Reference,
        entry: &Descriptor,
    ) -> Result<Attached, TransferError> {
        let path = reference.path();
        let digest = entry.digest.to_string();
        let fetched = self.connection.manifest(path, &digest).await?;
        let name = reference.familiar();
        let document = Document::parse(&name, &fetched.media_type, &fetched.bytes)?;
        let Document::Manifest(manifest) = document else {
            return Err(TransferError::IndexDepth { name });
        };
        self.store.put_blob(&fetched.bytes, Some(&entry.digest))?;
        let mut blobs = Vec::new();
        for blob in manifest.layers.iter().chain(std::iter::once(&manifest.config)) {
            let what = "attestation";
            let bytes = small_blob(self.connection, path, blob, what, ATTACHED_BYTES_MAX).await?;
            self.store.put_blob(&bytes, Some(&blob.digest))?;
            blobs.push(AttachedBlob { digest: blob.digest, size: blob.size });
        }
        Ok(Attached { manifest: entry.digest, media_type: fetched.media_type, blobs })
    }

    /// Brings one image into the store. It gets the name when `named` tells the
    /// digest the name stands for.
    async fn bring(
        &self,
        reference: &Reference,
        chosen: &Chosen,
        named: Option<Digest>,
    ) -> Result<Option<String>, TransferError> {
        let Chosen { fetched, manifest } = chosen;
        let known_as = named.unwrap_or(fetched.digest).to_string();
        let repo_digest = reference.with_digest(&known_as).map_err(ImageError::from)?;
        let takes_name = named.is_some() && reference.digest().is_none();

        if let Some(image) = self.whole_image(&manifest.config.digest)? {
            self.store.add_repo_digest(&image.id, &repo_digest)?;
            if takes_name && !image.names.contains(reference) {
                self.store.tag(&image.id, reference)?;
            }
            return Ok(self.mismatch(reference, &image.platform()));
        }
        let config_bytes = small_blob(
            self.connection,
            reference.path(),
            &manifest.config,
            "image configuration",
            CONFIG_BYTES_MAX,
        )
        .await?;
        let config = ImageConfig::parse(&config_bytes)?;
        let variant = config.variant.as_deref().unwrap_or_default();
        let found = Platform::new(&config.os, &config.architecture, variant);
        let layers = self.layers(reference, manifest, &config).await?;
        self.store.commit_image(&NewImage {
            config_bytes,
            manifest_bytes: fetched.bytes.clone(),
            manifest_media_type: manifest.effective_media_type().to_owned(),
            layers,
            names: if takes_name { vec![reference.clone()] } else { Vec::new() },
            repo_digests: vec![repo_digest],
            parent: None,
        })?;
        Ok(self.mismatch(reference, &found))
    }

    /// The image with this id, if it is here with all its layers.
    fn whole_image(&self, id: &Digest) -> Result<Option<Image>, TransferError> {
        let Ok(image) = self.store.get(id) else { return Ok(None) };
        let whole = image.layers.iter().all(|layer| self.store.has_layer(&layer.diff_id));
        Ok(whole.then_some(image))
    }

    /// What to say when a single manifest is for another platform than was asked for.
    fn mismatch(&self, reference: &Reference, found: &Platform) -> Option<String> {
        let wanted = self.options.platform.as_ref().filter(|_| !self.options.all_platforms)?;
        if wanted.rank(found).is_some() || found.architecture.is_empty() {
            return None;
        }
        Some(format!(
            "WARNING: image with reference {} was found but its platform ({found}) does not match the \
             specified platform ({wanted})",
            reference.familiar()
        ))
    }

    async fn layers(
        &self,
        reference: &Reference,
        manifest: &Manifest,
        config: &ImageConfig,
    ) -> Result<Vec<Layer>, TransferError> {
        let diff_ids = &config.rootfs.diff_ids;
        if diff_ids.len() != manifest.layers.len() {
            let (config, manifest) = (diff_ids.len(), manifest.layers.len());
            return Err(ImageError::LayerCount { config, manifest }.into());
        }
        let mut missing = Vec::new();
        let mut present = Vec::new();
        for (blob, diff_id) in manifest.layers.iter().zip(diff_ids) {
            let source = LayerSource {
                blob_digest: Some(blob.digest),
                blob_size: Some(blob.size),
                media_type: Some(blob.media_type.clone()).filter(|kind| !kind.is_empty()),
                diff_id: Some(*diff_id),
            };
            let layer = self.store.existing_layer(&source)?;
            let event = match &layer {
                Some(_) => LayerEvent::AlreadyExists,
                None => LayerEvent::PullingFsLayer,
            };
            self.sink.event(&ProgressEvent::Layer { id: &blob.digest.short(), event });
            match layer {
                Some(_) => present.push(layer),
                None => {
                    present.push(None);
                    missing.push((present.len() - 1, blob, source));
                }
            }
        }
        for (_, blob, _) in missing.iter().skip(self.workers.count) {
            let event = LayerEvent::Waiting;
            self.sink.event(&ProgressEvent::Layer { id: &blob.digest.short(), event });
        }
        let downloads = missing.into_iter().map(async |(at, blob, source)| {
            self.layer(reference.path(), blob, source).await.map(|layer| (at, layer))
        });
        for (at, layer) in try_join_all(downloads).await? {
            present[at] = Some(layer);
        }
        Ok(present.into_iter().flatten().collect())
    }

    /// Downloads one layer into a worker.
    async fn layer(
        &self,
        repository: &str,
        blob: &Descriptor,
        source: LayerSource,
    ) -> Result<Layer, TransferError> {
        let id = blob.digest.short();
        let (reader, writer) = pipe();
        let report = |event| self.sink.event(&ProgressEvent::Layer { id: &id, event });
        let installed = self.workers.submit(source, reader);
        let (downloaded, installed) =
            join(writer.download(self.connection, repository, blob, &report), installed).await;
        // When the download failed, so did the reader, for that reason.
        downloaded?;
        Ok(installed?)
    }
}
