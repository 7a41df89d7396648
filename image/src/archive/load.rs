//! `load`: images from an archive or a layout directory into the store.
//!
//! What is inside decides, not the file's name: `manifest.json` (Docker, from 1.10 on),
//! `index.json` (OCI layout), or both. Where both are there, names come from the first
//! and manifests from the second, so that digests stay what they were.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use super::manifest::Manifest;
use super::plan::{LoadOptions, LoadPlan, PlannedLayer, missing};
use super::source::Source;
use super::{docker, layout};
use crate::digest::Digest;
use crate::error::{ImageError, Result};
use crate::limits::{ARCHIVE_IMAGES_MAX, LAYERS_MAX};
use crate::reference::Reference;
use crate::store::{Layer, LayerSource, NewImage, Progress, Store};

/// Where the archive is.
pub enum Input<'a> {
    Stream(&'a mut dyn Read),
    File(File),
    /// An OCI layout, or an unpacked Docker archive.
    Directory(PathBuf),
}

/// One image that was loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    pub id: Digest,
    /// Names it was given; without any it is known by its id.
    pub names: Vec<Reference>,
    /// What could not be unpacked as it was.
    pub notes: Vec<String>,
    /// Names that other images lost to it.
    pub taken: Vec<(Reference, Digest)>,
}

/// Loads every image of an archive. `progress` is told the layer (short) and how far it is.
pub fn load(
    store: &Store,
    input: Input<'_>,
    options: &LoadOptions,
    progress: &dyn Fn(&str, Progress),
) -> Result<Vec<Loaded>> {
    let source = match input {
        Input::Stream(stream) => Source::from_stream(store, stream)?,
        Input::File(file) => Source::from_file(store, file)?,
        Input::Directory(path) => Source::from_dir(&path)?,
    };
    let plans = match docker::plans(&source, options)? {
        Some(plans) => plans,
        None => match layout::plans(&source, options)? {
            Some(plans) => plans,
            None => return Err(no_image(&source)?),
        },
    };
    if plans.len() > ARCHIVE_IMAGES_MAX {
        let (bytes, limit) = (plans.len() as u64, ARCHIVE_IMAGES_MAX as u64);
        let what = "the number of images in the archive".to_owned();
        return Err(ImageError::TooLarge { what, bytes, limit });
    }
    plans.into_iter().map(|plan| load_one(store, &source, plan, progress)).collect()
}

fn no_image(source: &Source) -> Result<ImageError> {
    let why = if source.open("repositories")?.is_some() {
        "it was saved by a Docker older than 1.10, whose format is not supported"
    } else {
        "it has neither manifest.json nor index.json; `import` takes a root filesystem"
    };
    Ok(ImageError::BadArchive { why: why.to_owned() })
}

fn load_one(
    store: &Store,
    source: &Source,
    plan: LoadPlan,
    progress: &dyn Fn(&str, Progress),
) -> Result<Loaded> {
    let shown = match plan.names.first() {
        Some(name) => name.familiar(),
        None => Digest::of(&plan.config).short(),
    };
    let outcome = load_plan(store, source, plan, progress);
    outcome.map_err(|e| ImageError::LoadImage { image: shown, source: Box::new(e) })
}

fn load_plan(
    store: &Store,
    source: &Source,
    plan: LoadPlan,
    progress: &dyn Fn(&str, Progress),
) -> Result<Loaded> {
    let diff_ids = diff_ids(&plan.config)?;
    if diff_ids.len() != plan.layers.len() || diff_ids.len() > LAYERS_MAX {
        return Err(ImageError::LayerCount { config: diff_ids.len(), manifest: plan.layers.len() });
    }
    let mut layers = Vec::with_capacity(diff_ids.len());
    for (planned, diff_id) in plan.layers.iter().zip(diff_ids) {
        layers.push(load_layer(store, source, planned, diff_id, progress)?);
    }
    let (manifest_bytes, manifest_media_type) = match plan.manifest {
        Some((bytes, media_type)) if describes(&bytes, &layers) => (bytes, media_type),
        _ => Manifest::of(&plan.config, &layers)?,
    };
    let notes = layers.iter().flat_map(|layer| layer.notes.clone()).collect();
    let owners = plan.names.iter().filter_map(|name| {
        let owner = store.find(&name.familiar()).ok()?;
        Some((name.clone(), owner.id))
    });
    let mut taken: Vec<_> = owners.collect();
    let id = store.commit_image(&NewImage {
        config_bytes: plan.config,
        manifest_bytes,
        manifest_media_type,
        layers,
        names: plan.names.clone(),
        ..NewImage::default()
    })?;
    taken.retain(|(_, owner)| *owner != id);
    Ok(Loaded { id, names: plan.names, notes, taken })
}

fn diff_ids(config: &[u8]) -> Result<Vec<Digest>> {
    Ok(crate::config::ImageConfig::parse(config)?.rootfs.diff_ids)
}

/// Whether a manifest lists exactly the blobs these layers have.
fn describes(manifest: &[u8], layers: &[Layer]) -> bool {
    serde_json::from_slice::<Manifest>(manifest).is_ok_and(|manifest| {
        manifest.layers.iter().map(|l| l.digest).eq(layers.iter().map(|l| l.blob_digest))
    })
}

fn load_layer(
    store: &Store,
    source: &Source,
    planned: &PlannedLayer,
    diff_id: Digest,
    progress: &dyn Fn(&str, Progress),
) -> Result<Layer> {
    let wanted = LayerSource {
        blob_digest: planned.blob_digest,
        blob_size: planned.blob_size,
        media_type: planned.media_type.clone(),
        diff_id: Some(diff_id),
    };
    if let Some(layer) = store.existing_layer(&wanted)? {
        return Ok(layer);
    }
    let _lock = store.lock_layer(&diff_id)?;
    if let Some(layer) = store.existing_layer(&wanted)? {
        return Ok(layer);
    }
    let mut file = source.open(&planned.file)?.ok_or_else(|| missing(&planned.file))?;
    let short = diff_id.short();
    store.ingest_layer(&wanted, &mut file, &|done| progress(&short, done))
}
