//! Images: adding one, listing them, naming them.

use serde::Deserialize;

use super::index::{Index, ManifestRow, Names, Row};
use super::ingest::Layer;
use super::{Store, fsutil};
use crate::config::ImageConfig;
use crate::digest::Digest;
use crate::error::{ImageError, Result};
use crate::limits::{CONFIG_BYTES_MAX, LAYERS_MAX, MANIFEST_BYTES_MAX};
use crate::platform::Platform;
use crate::reference::Reference;

/// An image in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Digest of the configuration, as Docker's classic store numbers images.
    pub id: Digest,
    /// Names with tags, sorted.
    pub names: Vec<Reference>,
    /// Names with manifest digests, sorted.
    pub repo_digests: Vec<Reference>,
    /// Bottom first.
    pub layers: Vec<Layer>,
    pub manifest_digest: Digest,
    pub manifest_media_type: String,
    /// RFC 3339, as the configuration says it.
    pub created: String,
    pub os: String,
    pub architecture: String,
    pub variant: String,
    /// The image this one was made from here, by commit or build.
    pub parent: Option<Digest>,
    /// RFC 3339; when a name was last given.
    pub last_tag_time: Option<String>,
}

impl Image {
    /// Bytes of all layers, unpacked.
    pub fn size(&self) -> u64 {
        self.layers.iter().map(|layer| layer.unpacked_size).sum()
    }

    /// Neither a name nor a repository digest leads here.
    pub fn is_dangling(&self) -> bool {
        self.names.is_empty() && self.repo_digests.is_empty()
    }

    fn from_row(row: &Row, names: &Names) -> Option<Self> {
        Some(Self::of_manifest(row, row.manifests.first()?, names))
    }

    /// The image as one of its manifests has it.
    pub(super) fn of_manifest(row: &Row, manifest: &ManifestRow, names: &Names) -> Self {
        Self {
            id: row.id,
            names: names.tags.get(&row.id).cloned().unwrap_or_default(),
            repo_digests: names.digests.get(&row.id).cloned().unwrap_or_default(),
            layers: manifest.layers.clone(),
            manifest_digest: manifest.digest,
            manifest_media_type: manifest.media_type.clone(),
            created: row.created.clone(),
            os: row.os.clone(),
            architecture: row.architecture.clone(),
            variant: row.variant.clone(),
            parent: row.parent,
            last_tag_time: row.last_tag_time.clone(),
        }
    }

    pub fn platform(&self) -> Platform {
        Platform::new(&self.os, &self.architecture, &self.variant)
    }
}

/// An image about to be added; its layers are in the store already.
#[derive(Debug, Clone, Default)]
pub struct NewImage {
    pub config_bytes: Vec<u8>,
    pub manifest_bytes: Vec<u8>,
    pub manifest_media_type: String,
    /// Bottom first, as many as the configuration lists.
    pub layers: Vec<Layer>,
    /// Names with tags; each is taken from whatever image had it.
    pub names: Vec<Reference>,
    /// Names with the digest under which a registry knows the image.
    pub repo_digests: Vec<Reference>,
    pub parent: Option<Digest>,
}

/// What the store itself needs from a configuration.
#[derive(Deserialize)]
struct ConfigHead {
    #[serde(default)]
    created: Option<String>,
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    #[serde(default)]
    variant: String,
    #[serde(default)]
    rootfs: Option<RootFs>,
}

#[derive(Deserialize)]
struct RootFs {
    #[serde(default)]
    diff_ids: Option<Vec<Digest>>,
}

/// What Docker shows for an image that tells no time.
const NO_TIME: &str = "0001-01-01T00:00:00Z";

impl Store {
    /// Adds an image, or new names and manifests to one that is there; returns its id.
    ///
    /// Everything it needs is on disk for certain before it becomes visible.
    pub fn commit_image(&self, new: &NewImage) -> Result<Digest> {
        let row = self.check_new(new)?;
        self.ensure_hold()?;
        self.put_blob(&new.config_bytes, None)?;
        self.put_blob(&new.manifest_bytes, None)?;
        fsutil::sync_filesystem(&self.root)?;
        let id = row.id;
        self.update_index(|index| {
            for layer in &new.layers {
                if !self.has_layer(&layer.diff_id) {
                    return Err(ImageError::LayerMissing { diff_id: layer.diff_id });
                }
            }
            add_row(index, row);
            for name in &new.names {
                index.give_name(name.clone().with_default_tag().to_string(), id);
            }
            for name in &new.repo_digests {
                index.digests.insert(name.to_string(), id);
            }
            Ok(())
        })?;
        Ok(id)
    }

    pub(super) fn check_new(&self, new: &NewImage) -> Result<Row> {
        for (what, bytes, limit) in [
            ("the image configuration", new.config_bytes.len(), CONFIG_BYTES_MAX),
            ("the image manifest", new.manifest_bytes.len(), MANIFEST_BYTES_MAX),
        ] {
            if bytes > limit {
                let (bytes, limit) = (bytes as u64, limit as u64);
                return Err(ImageError::TooLarge { what: what.to_owned(), bytes, limit });
            }
        }
        if new.layers.len() > LAYERS_MAX {
            return Err(ImageError::TooManyLayers { layers: new.layers.len() });
        }
        let head: ConfigHead = serde_json::from_slice(&new.config_bytes)
            .map_err(ImageError::json("the image configuration"))?;
        let diff_ids = head.rootfs.and_then(|r| r.diff_ids).unwrap_or_default();
        if diff_ids.len() != new.layers.len() {
            let (config, manifest) = (diff_ids.len(), new.layers.len());
            return Err(ImageError::LayerCount { config, manifest });
        }
        for (expected, layer) in diff_ids.iter().zip(&new.layers) {
            if *expected != layer.diff_id {
                let (expected, actual) = (*expected, layer.diff_id);
                return Err(ImageError::DiffId { expected, actual });
            }
        }
        Ok(Row {
            id: Digest::of(&new.config_bytes),
            created: head.created.unwrap_or_else(|| NO_TIME.to_owned()),
            os: if head.os.is_empty() { "linux".to_owned() } else { head.os },
            architecture: head.architecture,
            variant: head.variant,
            parent: new.parent,
            last_tag_time: (!new.names.is_empty()).then(now),
            manifests: vec![ManifestRow {
                digest: Digest::of(&new.manifest_bytes),
                media_type: new.manifest_media_type.clone(),
                layers: new.layers.clone(),
            }],
        })
    }

    /// All images, newest first.
    pub fn images(&self) -> Result<Vec<Image>> {
        let index = self.read_index()?;
        let mut images = images_of(&index)?;
        // Times of one format sort as text; equal ones by id, so that lists are stable.
        images.sort_by(|a, b| sort_time(b).cmp(&sort_time(a)).then_with(|| a.id.cmp(&b.id)));
        Ok(images)
    }

    /// Gives `image` another name; takes it from whatever image had it.
    pub fn tag(&self, id: &Digest, name: &Reference) -> Result<()> {
        if name.digest().is_some() {
            return Err(ImageError::TagWithDigest);
        }
        if name.familiar_repository() == "sha256" {
            return Err(ImageError::AmbiguousTag);
        }
        let name = name.clone().with_default_tag();
        self.update_index(|index| {
            let row = index
                .row_mut(id)
                .ok_or_else(|| ImageError::NoSuchImage { name: id.to_string() })?;
            row.last_tag_time = Some(now());
            index.give_name(name.to_string(), *id);
            Ok(())
        })
    }

    /// Takes a name away and leaves the image; the id it led to, if it existed.
    pub fn untag(&self, name: &Reference) -> Result<Option<Digest>> {
        let name = name.clone().with_default_tag().to_string();
        self.update_index(|index| Ok(index.take_name(&name).map(|(id, _)| id)))
    }

    /// Remembers under which digest a registry knows an image, after a push.
    pub fn add_repo_digest(&self, id: &Digest, name: &Reference) -> Result<()> {
        self.update_index(|index| {
            if index.row(id).is_none() {
                return Err(ImageError::NoSuchImage { name: id.to_string() });
            }
            index.digests.insert(name.to_string(), *id);
            Ok(())
        })
    }

    /// The configuration as it was received: its digest is the image's id.
    pub fn config_bytes(&self, id: &Digest) -> Result<Vec<u8>> {
        self.read_blob(id, CONFIG_BYTES_MAX)
    }

    /// The configuration, parsed.
    pub fn config(&self, id: &Digest) -> Result<ImageConfig> {
        let bytes = self.config_bytes(id)?;
        ImageConfig::parse(&bytes)
    }

    /// The manifest as it was received, or as this store wrote it.
    pub fn manifest_bytes(&self, image: &Image) -> Result<Vec<u8>> {
        self.read_blob(&image.manifest_digest, MANIFEST_BYTES_MAX)
    }
}

pub(super) fn images_of(index: &Index) -> Result<Vec<Image>> {
    let names = Names::of(index)?;
    Ok(index.images.iter().filter_map(|row| Image::from_row(row, &names)).collect())
}

fn add_row(index: &mut Index, new: Row) {
    let Some(old) = index.row_mut(&new.id) else {
        index.images.push(new);
        return;
    };
    for manifest in new.manifests {
        old.manifests.retain(|known| known.digest != manifest.digest);
        old.manifests.insert(0, manifest);
    }
    old.parent = old.parent.or(new.parent);
    if new.last_tag_time.is_some() {
        old.last_tag_time = new.last_tag_time;
    }
}

fn sort_time(image: &Image) -> i64 {
    chrono::DateTime::parse_from_rfc3339(&image.created)
        .map_or(i64::MIN, |t| t.timestamp_nanos_opt().unwrap_or(t.timestamp()))
}

/// The present moment as Docker writes it.
pub(crate) fn now() -> String {
    chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Nanos, true)
}
