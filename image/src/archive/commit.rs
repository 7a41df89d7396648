//! A container's changes to an image: a copy of its upper directory becomes a layer.

use std::path::Path;

use super::manifest::Manifest;
use crate::config::{ContainerConfig, History, ImageConfig};
use crate::digest::Digest;
use crate::error::Result;
use crate::pack::PackOptions;
use crate::platform::Platform;
use crate::reference::Reference;
use crate::store::{Image, NewImage, Store, now};

/// What a commit is made of.
pub struct CommitOptions<'a> {
    /// The image the container was made from.
    pub parent: &'a Image,
    /// The overlay upper directory of the container.
    pub upper: &'a Path,
    /// Paths that are not the image's: mount points, files we put there.
    pub skip: &'a dyn Fn(&[u8]) -> bool,
    /// The container's configuration, with `--change` applied.
    pub config: ContainerConfig,
    pub author: Option<String>,
    pub comment: Option<String>,
    /// The container's command line, as history shows it.
    pub created_by: String,
    pub names: Vec<Reference>,
}

/// Makes an image of a container's changes on top of its parent.
pub fn commit(store: &Store, options: &CommitOptions<'_>) -> Result<Digest> {
    let mut image = store.config(&options.parent.id)?;
    let mut layers = options.parent.layers.clone();
    let layer = store.copy_folder(
        options.upper,
        PackOptions { overlay: true, skip: options.skip, ..PackOptions::default() },
    )?;
    let is_empty = layer.is_none();
    if let Some(layer) = layer {
        image.rootfs.diff_ids.push(layer.diff_id);
        layers.push(layer);
    }
    let created = now();
    image.history.push(History {
        created: Some(created.clone()),
        created_by: Some(options.created_by.clone()),
        author: options.author.clone(),
        comment: options.comment.clone(),
        empty_layer: is_empty,
    });
    let host = Platform::host();
    let image = ImageConfig {
        created: Some(created),
        author: options.author.clone(),
        comment: options.comment.clone(),
        config: options.config.clone(),
        architecture: if image.architecture.is_empty() {
            host.architecture
        } else {
            image.architecture
        },
        os: if image.os.is_empty() { host.os } else { image.os },
        docker_version: None,
        ..image
    };
    let config_bytes = image.to_bytes()?;
    let (manifest_bytes, manifest_media_type) = Manifest::of(&config_bytes, &layers)?;
    store.commit_image(&NewImage {
        config_bytes,
        manifest_bytes,
        manifest_media_type,
        layers,
        names: options.names.clone(),
        parent: Some(options.parent.id),
        ..NewImage::default()
    })
}
