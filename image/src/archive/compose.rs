//! An image of layers that are in the store, as a build makes one.
//!
//! The same configuration and layers are the same image: it gets names, and nothing is written again.

use std::collections::BTreeMap;

use super::manifest::{annotations, manifest_of};
use crate::config::ImageConfig;
use crate::digest::Digest;
use crate::error::Result;
use crate::reference::Reference;
use crate::store::{Layer, NewImage, Store};

/// What an image is made of.
#[derive(Debug, Clone, Default)]
pub struct Composition {
    /// All of it but the layers, which are filled in; history and `created` as they are to be.
    pub config: ImageConfig,
    /// Bottom first.
    pub layers: Vec<Layer>,
    pub names: Vec<Reference>,
    /// Of the manifest.
    pub annotations: BTreeMap<String, String>,
}

/// The documents of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Documents {
    pub config: Vec<u8>,
    pub manifest: Vec<u8>,
    pub media_type: String,
}

impl Documents {
    /// The image's id.
    #[must_use]
    pub fn id(&self) -> Digest {
        Digest::of(&self.config)
    }
}

/// An image in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composed {
    pub id: Digest,
    /// Of its manifest.
    pub digest: Digest,
    pub media_type: String,
    /// Bytes of its manifest.
    pub size: u64,
}

impl Composition {
    /// What the image says about itself, its layers being as they are here.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn documents(&self) -> Result<Documents> {
        let mut config = self.config.clone();
        "layers".clone_into(&mut config.rootfs.kind);
        config.rootfs.diff_ids = self.layers.iter().map(|layer| layer.diff_id).collect();
        let config = config.to_bytes()?;
        let (manifest, media_type) = manifest_of(&config, &self.layers, self.annotations.clone())?;
        Ok(Documents { config, manifest, media_type })
    }
}

/// Adds an image of layers that are in the store, or names to the one that is there already.
///
/// # Errors
/// When a layer is missing, or the disk does not take it.
pub fn compose(store: &Store, new: &Composition) -> Result<Composed> {
    let documents = new.documents()?;
    let id = documents.id();
    if let Ok(image) = store.get(&id)
        && let Ok(manifest) = store.manifest_bytes(&image)
        && annotations(&manifest) == new.annotations
    {
        for name in new.names.iter().map(|name| name.clone().with_default_tag()) {
            if !image.names.contains(&name) {
                store.tag(&id, &name)?;
            }
        }
        let (digest, media_type) = (image.manifest_digest, image.manifest_media_type);
        return Ok(Composed { id, digest, media_type, size: manifest.len() as u64 });
    }
    let composed = Composed {
        id,
        digest: Digest::of(&documents.manifest),
        media_type: documents.media_type.clone(),
        size: documents.manifest.len() as u64,
    };
    store.commit_image(&NewImage {
        config_bytes: documents.config,
        manifest_bytes: documents.manifest,
        manifest_media_type: documents.media_type,
        layers: new.layers.clone(),
        names: new.names.clone(),
        ..NewImage::default()
    })?;
    Ok(composed)
}
