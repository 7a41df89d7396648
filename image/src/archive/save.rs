//! `save`: images to one archive, both as an OCI layout and in Docker's own form.
//!
//! Blobs go in as they are in the store, so that digests are the same after `load`. Those of layers
//! without one are made on the way, and take no room of their own.

use std::collections::BTreeMap;
use std::io::Write;

use serde::Serialize;

use super::layout::{NAME_ANNOTATION, REF_ANNOTATION};
use super::manifest::{Descriptor, Index};
use super::plan::blob_name;
use super::write::{OCI_LAYOUT, begin_blobs, failed, layer_entry};
use crate::digest::Digest;
use crate::error::{ImageError, Result};
use crate::media;
use crate::reference::Reference;
use crate::store::{Image, Store};
use crate::tar::{Head, TarWriter};

/// One image of `manifest.json`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Item {
    config: String,
    repo_tags: Option<Vec<String>>,
    layers: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<Digest>,
    layer_sources: BTreeMap<String, Descriptor>,
}

/// An image and the names it is saved under.
struct Target {
    image: Image,
    names: Vec<Reference>,
}

/// Writes the images that `texts` name: a repository alone means all its tags.
///
/// Looks up everything first: a name that is missing leaves `out` untouched.
pub fn save<S: AsRef<str>>(store: &Store, texts: &[S], out: &mut dyn Write) -> Result<()> {
    let _hold = store.hold()?;
    let mut targets: Vec<Target> = Vec::new();
    for text in texts {
        for target in find(store, text.as_ref())? {
            match targets.iter_mut().find(|known| known.image.id == target.image.id) {
                Some(known) => {
                    let new = target.names.into_iter().filter(|name| !known.names.contains(name));
                    let new: Vec<_> = new.collect();
                    known.names.extend(new);
                }
                None => targets.push(target),
            }
        }
    }
    let out = std::io::BufWriter::with_capacity(crate::limits::CHUNK_BYTES, out);
    let mut tar = TarWriter::new(out);
    write_blobs(store, &targets, &mut tar)?;
    for (name, bytes) in [
        ("index.json", index(&targets, store)?),
        ("manifest.json", items(&targets)?),
        ("oci-layout", OCI_LAYOUT.to_vec()),
        ("repositories", repositories(&targets)?),
    ] {
        tar.bytes(name, &bytes).map_err(failed(name))?;
    }
    tar.finish().and_then(|mut out| out.flush()).map_err(failed("the end"))
}

fn find(store: &Store, text: &str) -> Result<Vec<Target>> {
    if let Ok(name) = Reference::parse(text)
        && name.is_name_only()
    {
        let repository = name.repository();
        let mut found: Vec<Target> = Vec::new();
        for image in store.images()? {
            let of_repository = image.names.iter().filter(|name| name.repository() == repository);
            let names: Vec<_> = of_repository.cloned().collect();
            if !names.is_empty() {
                found.push(Target { image, names });
            }
        }
        if !found.is_empty() {
            return Ok(found);
        }
    }
    let image = store.find(text).map_err(|e| match e {
        ImageError::NoSuchImage { .. } => ImageError::NoSuchImage { name: text.to_owned() },
        other => other,
    })?;
    let name = Reference::parse(text).ok().filter(|name| name.digest().is_none());
    let named = name.map(Reference::with_default_tag).filter(|name| image.names.contains(name));
    Ok(vec![Target { image, names: named.into_iter().collect() }])
}

fn write_blobs(store: &Store, targets: &[Target], tar: &mut TarWriter<impl Write>) -> Result<()> {
    begin_blobs(tar)?;
    let mut blobs = BTreeMap::new();
    for Target { image, .. } in targets {
        blobs.extend([(image.id, None), (image.manifest_digest, None)]);
        blobs.extend(image.layers.iter().map(|layer| (layer.blob_digest, Some(layer))));
    }
    for (digest, layer) in blobs {
        if let Some(layer) = layer {
            layer_entry(tar, store, layer)?;
            continue;
        }
        let name = blob_name(&digest);
        let mut file = store.open_blob(&digest)?;
        let size = store.blob_size(&digest)?;
        let head = Head { name: name.clone().into_bytes(), mode: 0o644, size, ..Head::default() };
        tar.file(&head, &mut file).map_err(failed(&name))?;
    }
    Ok(())
}

fn index(targets: &[Target], store: &Store) -> Result<Vec<u8>> {
    let mut manifests = Vec::new();
    for Target { image, names } in targets {
        let plain = Descriptor {
            media_type: image.manifest_media_type.clone(),
            digest: image.manifest_digest,
            size: store.blob_size(&image.manifest_digest)?,
            annotations: None,
            platform: None,
        };
        if names.is_empty() {
            manifests.push(plain.clone());
        }
        for name in names {
            let tag = name.tag().unwrap_or_default().to_owned();
            let annotations = BTreeMap::from([
                (NAME_ANNOTATION.to_owned(), name.to_string()),
                (REF_ANNOTATION.to_owned(), tag),
            ]);
            manifests.push(Descriptor { annotations: Some(annotations), ..plain.clone() });
        }
    }
    let media_type = Some(media::OCI_INDEX.to_owned());
    let index = Index { schema_version: 2, media_type, manifests };
    serde_json::to_vec(&index).map_err(ImageError::json("index.json"))
}

fn items(targets: &[Target]) -> Result<Vec<u8>> {
    let saved = |id: &Digest| targets.iter().any(|target| target.image.id == *id);
    let items: Vec<_> = targets
        .iter()
        .map(|Target { image, names }| Item {
            config: blob_name(&image.id),
            repo_tags: (!names.is_empty()).then(|| names.iter().map(Reference::familiar).collect()),
            layers: image.layers.iter().map(|layer| blob_name(&layer.blob_digest)).collect(),
            parent: image.parent.filter(saved),
            layer_sources: image
                .layers
                .iter()
                .map(|layer| {
                    let descriptor = Descriptor {
                        media_type: layer.media_type.clone(),
                        digest: layer.blob_digest,
                        size: layer.blob_size,
                        annotations: None,
                        platform: None,
                    };
                    (layer.diff_id.to_string(), descriptor)
                })
                .collect(),
        })
        .collect();
    serde_json::to_vec(&items).map_err(ImageError::json("manifest.json"))
}

/// The oldest form: repository to tag to its top layer.
fn repositories(targets: &[Target]) -> Result<Vec<u8>> {
    let mut all: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for Target { image, names } in targets {
        let Some(top) = image.layers.last() else { continue };
        for name in names {
            let tags = all.entry(name.familiar_repository()).or_default();
            tags.insert(name.tag().unwrap_or_default().to_owned(), top.blob_digest.hex());
        }
    }
    serde_json::to_vec(&all).map_err(ImageError::json("repositories"))
}
