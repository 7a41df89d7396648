//! A root filesystem archive to an image of one layer.

use std::io::Read;

use super::manifest::Manifest;
use crate::config::{ContainerConfig, History, ImageConfig, RootFs};
use crate::digest::Digest;
use crate::error::Result;
use crate::instruction;
use crate::platform::Platform;
use crate::reference::Reference;
use crate::store::{LayerSource, NewImage, Progress, Store, now};

/// What `import` takes besides the archive.
#[derive(Debug, Clone, Default)]
pub struct ImportOptions {
    pub names: Vec<Reference>,
    /// `--message`; Docker's default names the source `-`, whatever it was.
    pub message: Option<String>,
    /// `--change` instructions.
    pub changes: Vec<String>,
    /// `--platform`; the machine's own by default.
    pub platform: Option<Platform>,
}

/// An imported image.
#[derive(Debug, Clone)]
pub struct Imported {
    pub id: Digest,
    /// What could not be unpacked as it was.
    pub notes: Vec<String>,
}

/// Makes an image of a root filesystem archive, compressed in any way we know.
pub fn import(
    store: &Store,
    archive: &mut dyn Read,
    options: &ImportOptions,
    progress: &dyn Fn(Progress),
) -> Result<Imported> {
    // Bad instructions are told before the archive is read.
    let mut config = ContainerConfig::default();
    instruction::apply(&mut config, &options.changes)?;
    let layer = store.ingest_layer(&LayerSource::default(), archive, progress)?;
    let platform = options.platform.clone().unwrap_or_else(Platform::host);
    let comment = options.message.clone().unwrap_or_else(|| "Imported from -".to_owned());
    let created = now();
    let image = ImageConfig {
        architecture: platform.architecture,
        os: platform.os,
        variant: Some(platform.variant).filter(|variant| !variant.is_empty()),
        comment: Some(comment.clone()),
        created: Some(created.clone()),
        config,
        history: vec![History {
            created: Some(created),
            comment: Some(comment),
            ..History::default()
        }],
        rootfs: RootFs { kind: "layers".to_owned(), diff_ids: vec![layer.diff_id] },
        ..ImageConfig::default()
    };
    let notes = layer.notes.clone();
    let layers = vec![layer];
    let config_bytes = image.to_bytes()?;
    let (manifest_bytes, manifest_media_type) = Manifest::of(&config_bytes, &layers)?;
    let id = store.commit_image(&NewImage {
        config_bytes,
        manifest_bytes,
        manifest_media_type,
        layers,
        names: options.names.clone(),
        ..NewImage::default()
    })?;
    Ok(Imported { id, notes })
}
