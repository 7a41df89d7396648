//! `images.json` made anew from the blobs.
//!
//! Each blob that is an image's manifest, and whose configuration is there, is an image again.
//! Names come from the copy of the index, and from callers who know what an image was called.
//! A layer that is not unpacked is unpacked from its blob; an image that lacks both is left out.

use serde::Deserialize;

use super::check::Finding;
use super::index::{Index, Row};
use super::ingest::{Layer, LayerSource};
use super::{NewImage, Store};
use crate::digest::Digest;
use crate::error::{ImageError, Result};
use crate::limits::{CONFIG_BYTES_MAX, MANIFEST_BYTES_MAX};
use crate::reference::Reference;
use crate::registry::{Descriptor, Manifest};

#[derive(Deserialize)]
struct Layers {
    rootfs: DiffIds,
}

#[derive(Deserialize)]
struct DiffIds {
    diff_ids: Vec<Digest>,
}

impl Store {
    /// An index of what is stored. `known` says how images were called.
    pub(super) fn rebuilt_index(
        &self,
        known: &[(Digest, Reference)],
        findings: &mut Vec<Finding>,
    ) -> Result<Index> {
        let mut index = self.read_backup();
        let had = index.images.len();
        index.images.retain(|row| self.has_blob(&row.id));
        for digest in self.blob_digests()? {
            if let Some(row) = self.row_of(&digest, findings) {
                add(&mut index, row);
            }
        }
        let ids: Vec<Digest> = index.images.iter().map(|row| row.id).collect();
        index.names.retain(|_, id| ids.contains(id));
        index.digests.retain(|_, id| ids.contains(id));
        for (id, name) in known {
            let name = name.clone().with_default_tag();
            let free = name.digest().is_none() && !index.names.contains_key(&name.to_string());
            if free && ids.contains(id) && index.is_unnamed(id) {
                index.names.insert(name.to_string(), *id);
            }
        }
        if had > index.images.len() {
            let lost = had - index.images.len();
            findings.push(Finding::new("images.json", format!("{lost} images lost their content")));
        }
        Ok(index)
    }

    /// The image whose manifest this blob is, if it is one.
    fn row_of(&self, digest: &Digest, findings: &mut Vec<Finding>) -> Option<Row> {
        if self.blob_size(digest).ok()? > MANIFEST_BYTES_MAX as u64 {
            return None;
        }
        let manifest_bytes = self.read_blob(digest, MANIFEST_BYTES_MAX).ok()?;
        let manifest: Manifest = serde_json::from_slice(&manifest_bytes).ok()?;
        let config_bytes = self.read_blob(&manifest.config.digest, CONFIG_BYTES_MAX).ok()?;
        let diff_ids = serde_json::from_slice::<Layers>(&config_bytes).ok()?.rootfs.diff_ids;
        if diff_ids.len() != manifest.layers.len() {
            return None;
        }
        let layers: Result<Vec<Layer>> = diff_ids
            .iter()
            .zip(&manifest.layers)
            .map(|(diff_id, descriptor)| self.layer_again(diff_id, descriptor))
            .collect();
        let new = NewImage {
            manifest_media_type: manifest.effective_media_type().to_owned(),
            config_bytes,
            manifest_bytes,
            layers: match layers {
                Ok(layers) => layers,
                Err(error) => {
                    let what = format!("image {}", manifest.config.digest.short());
                    let why = format!("it is left out: {}", crate::error::in_one_line(&error));
                    findings.push(Finding::new(what, why));
                    return None;
                }
            },
            ..NewImage::default()
        };
        self.check_new(&new).ok()
    }

    /// A layer as a manifest means it, unpacked if it is not.
    fn layer_again(&self, diff_id: &Digest, descriptor: &Descriptor) -> Result<Layer> {
        let blob_there = self.has_blob(&descriptor.digest);
        if let Ok(mut layer) = self.layer(diff_id)
            && self.layer_dir(diff_id).is_dir()
        {
            layer.without_blob &= descriptor.digest == *diff_id;
            layer.blob_digest = descriptor.digest;
            layer.blob_size = descriptor.size;
            layer.media_type.clone_from(&descriptor.media_type);
            return Ok(layer);
        }
        if !blob_there {
            return Err(ImageError::BlobMissing { digest: descriptor.digest });
        }
        self.unpack_again(diff_id, &descriptor.digest, &descriptor.media_type)
    }

    /// Unpacks a layer from its blob, in the place of what lies there.
    pub(super) fn unpack_again(
        &self,
        diff_id: &Digest,
        blob: &Digest,
        media_type: &str,
    ) -> Result<Layer> {
        let home = self.layer_home(diff_id);
        let away = self.tmp_path("damaged")?;
        let moved = std::fs::rename(&home, &away).is_ok();
        let source = LayerSource {
            blob_digest: Some(*blob),
            diff_id: Some(*diff_id),
            media_type: Some(media_type.to_owned()).filter(|it| !it.is_empty()),
            ..LayerSource::default()
        };
        let unpacked = self
            .open_blob(blob)
            .and_then(|mut file| self.ingest_layer(&source, &mut file, &|_| {}));
        if unpacked.is_err() && moved {
            // Half a layer may be worth more to its owner than none.
            drop(std::fs::rename(&away, &home));
        }
        unpacked
    }
}

fn add(index: &mut Index, new: Row) {
    match index.row_mut(&new.id) {
        None => index.images.push(new),
        Some(row) => {
            for manifest in new.manifests {
                if row.manifests.iter().all(|known| known.digest != manifest.digest) {
                    row.manifests.push(manifest);
                }
            }
        }
    }
}
