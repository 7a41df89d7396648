//! A result as an image: its layers, its archive, its way to a registry.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use coracle_image::archive::{Composition, LayoutOptions, LayoutPlace, write_layout};
use coracle_image::{
    Digest, Layer, PushOutcome, Reference, RegistrySettings, Silent, Store, push as push_image,
};

use super::error::ExportError;

/// What a target came to.
#[derive(Debug, Clone)]
pub(crate) struct Product {
    pub(crate) image: Composition,
    /// When it is exported, RFC 3339.
    pub(crate) now: String,
}

/// Layers of which those that the build made, the `own` at the top, have no later times than `epoch`.
///
/// # Errors
/// When a layer cannot be read, or the disk does not take the new one.
pub(crate) fn rewritten(
    store: &Store,
    layers: &[Layer],
    own: usize,
    epoch: i64,
) -> Result<Vec<Layer>, ExportError> {
    let base = layers.len().saturating_sub(own);
    let rewrite = |(at, layer): (usize, &Layer)| match at < base {
        true => Ok(layer.clone()),
        false => store.with_times_until(layer, epoch),
    };
    let all: Result<_, _> = layers.iter().enumerate().map(rewrite).collect();
    Ok(all?)
}

/// Writes an image as an OCI layout, for `docker load` too when `for_docker` says so: to `path`, an archive or a
/// folder, or as an archive to `out`. Gives the digest of its manifest.
///
/// # Errors
/// When a layer cannot be read, or the place not be written.
pub(crate) fn layout(
    store: &Store,
    product: &Product,
    for_docker: bool,
    place: Place<'_>,
) -> Result<Digest, ExportError> {
    let options = LayoutOptions { for_docker, created: product.now.clone() };
    let written = match place {
        Place::Folder(path) => {
            write_layout(store, &product.image, &options, LayoutPlace::Folder(path))?
        }
        Place::Archive(out) => {
            write_layout(store, &product.image, &options, LayoutPlace::Archive(out))?
        }
    };
    Ok(written.digest)
}

/// Where a layout goes.
pub(crate) enum Place<'a> {
    Folder(&'a Path),
    Archive(&'a mut dyn Write),
}

/// Creates the file of an archive.
///
/// # Errors
/// As `open(2)`.
pub(crate) fn create(path: &Path) -> Result<File, ExportError> {
    let words = |error: io::Error| {
        let why = match error.kind() {
            ErrorKind::NotFound => "no such file or directory".to_owned(),
            ErrorKind::IsADirectory => "is a directory".to_owned(),
            ErrorKind::PermissionDenied => "permission denied".to_owned(),
            _ => error.to_string(),
        };
        io::Error::new(error.kind(), format!("open {}: {why}", path.display()))
    };
    File::create(path).map_err(words).map_err(|why| ExportError::Open { why })
}

/// Uploads an image of the store under each of its names.
///
/// # Errors
/// When it has none, or a registry does not take it.
pub(crate) fn push(
    store: &Store,
    settings: &RegistrySettings,
    names: &[Reference],
) -> Result<Vec<PushOutcome>, ExportError> {
    if names.is_empty() {
        return Err(ExportError::NoName);
    }
    let one = |name: &Reference| {
        let name = name.clone().with_default_tag();
        push_image(store, settings, &name, None, &Silent)
            .map_err(|why| ExportError::Push { name: name.to_string(), why: Box::new(why) })
    };
    names.iter().map(one).collect()
}
