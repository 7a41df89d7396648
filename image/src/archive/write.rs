//! One image to an OCI layout, as a build writes it: an archive or a folder.
//!
//! With [`LayoutOptions::for_docker`] there is a `manifest.json` too, which `docker load` of any age reads.
//! Layers are compressed. The bytes depend on the image, its names and [`LayoutOptions::created`] alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::compose::Composition;
use super::layout::{NAME_ANNOTATION, REF_ANNOTATION};
use super::manifest::{Descriptor, Index, PlatformFields};
use super::plan::blob_name;
use crate::config::ImageConfig;
use crate::digest::Digest;
use crate::error::{ImageError, Result};
use crate::limits::CHUNK_BYTES;
use crate::media;
use crate::reference::Reference;
use crate::store::{Layer, Store};
use crate::tar::{EntryKind, Head, TarWriter};

const CREATED_ANNOTATION: &str = "org.opencontainers.image.created";
pub(super) const OCI_LAYOUT: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;

/// How a layout is written.
#[derive(Debug, Clone, Default)]
pub struct LayoutOptions {
    pub for_docker: bool,
    /// RFC 3339; when it was exported.
    pub created: String,
}

/// Where a layout goes.
pub enum LayoutPlace<'a> {
    Archive(&'a mut dyn Write),
    /// Made if it is not there; blobs that it has stay.
    Folder(&'a Path),
}

/// One image of `manifest.json`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Item {
    config: String,
    repo_tags: Option<Vec<String>>,
    layers: Vec<String>,
}

/// Writes an image, whose layers are in the store, as a layout; its manifest's digest. Starts threads.
///
/// # Errors
/// When a layer cannot be read, or the place not be written.
pub fn write_layout(
    store: &Store,
    image: &Composition,
    options: &LayoutOptions,
    place: LayoutPlace<'_>,
) -> Result<Descriptor> {
    let _hold = store.hold()?;
    let layers = store.compressed(&image.layers, &|_, _| {})?;
    let image = Composition { layers, ..image.clone() };
    let documents = image.documents()?;
    let descriptor = Descriptor {
        media_type: documents.media_type.clone(),
        digest: Digest::of(&documents.manifest),
        size: documents.manifest.len() as u64,
        annotations: None,
        platform: Some(platform(&image.config)),
    };
    let names: Vec<_> = image.names.iter().map(|name| name.clone().with_default_tag()).collect();
    let mut out = Out::begin(place)?;
    let mut seen = BTreeSet::new();
    for layer in &image.layers {
        if seen.insert(layer.blob_digest) {
            out.layer(store, layer)?;
        }
    }
    for bytes in [&documents.config, &documents.manifest] {
        out.file(&blob_name(&Digest::of(bytes)), bytes)?;
    }
    out.file("index.json", &index(&descriptor, &names, &options.created)?)?;
    if options.for_docker {
        let item = Item {
            config: blob_name(&documents.id()),
            repo_tags: (!names.is_empty()).then(|| names.iter().map(Reference::familiar).collect()),
            layers: image.layers.iter().map(|layer| blob_name(&layer.blob_digest)).collect(),
        };
        let bytes = serde_json::to_vec(&[item]).map_err(ImageError::json("manifest.json"))?;
        out.file("manifest.json", &bytes)?;
    }
    out.file("oci-layout", OCI_LAYOUT)?;
    out.finish()?;
    Ok(descriptor)
}

fn platform(config: &ImageConfig) -> PlatformFields {
    PlatformFields {
        architecture: config.architecture.clone(),
        os: config.os.clone(),
        variant: config.variant.clone(),
    }
}

fn index(descriptor: &Descriptor, names: &[Reference], created: &str) -> Result<Vec<u8>> {
    let entry = |name: Option<&Reference>| {
        let mut annotations = BTreeMap::new();
        if !created.is_empty() {
            annotations.insert(CREATED_ANNOTATION.to_owned(), created.to_owned());
        }
        if let Some(name) = name {
            annotations.insert(NAME_ANNOTATION.to_owned(), name.to_string());
            let tag = name.tag().unwrap_or_default().to_owned();
            annotations.insert(REF_ANNOTATION.to_owned(), tag);
        }
        let annotations = Some(annotations).filter(|all| !all.is_empty());
        Descriptor { annotations, ..descriptor.clone() }
    };
    let manifests = match names {
        [] => vec![entry(None)],
        names => names.iter().map(|name| entry(Some(name))).collect(),
    };
    index_of(manifests)
}

fn index_of(manifests: Vec<Descriptor>) -> Result<Vec<u8>> {
    let media_type = Some(media::OCI_INDEX.to_owned());
    let index = Index { schema_version: 2, media_type, manifests };
    serde_json::to_vec(&index).map_err(ImageError::json("index.json"))
}

/// The layout that is being written.
enum Out<'a> {
    Archive(Box<TarWriter<BufWriter<&'a mut dyn Write>>>),
    Folder(LayoutFolder),
}

/// An OCI layout as a folder. What leads to its blobs is replaced at the end; blobs that it had stay.
pub(crate) struct LayoutFolder(PathBuf);

impl LayoutFolder {
    pub(crate) fn begin(folder: &Path) -> Result<Self> {
        let blobs = folder.join("blobs/sha256");
        std::fs::create_dir_all(&blobs).map_err(ImageError::io("create", &blobs))?;
        Ok(Self(folder.to_owned()))
    }

    fn file(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.0.join(name);
        replace(&path, |file| file.write_all(bytes).map_err(ImageError::io("write", &path)))
    }

    pub(crate) fn blob(&self, bytes: &[u8]) -> Result<()> {
        self.file(&blob_name(&Digest::of(bytes)), bytes)
    }

    pub(crate) fn layer(&self, store: &Store, layer: &Layer) -> Result<()> {
        let path = self.0.join(blob_name(&layer.blob_digest));
        let there = std::fs::metadata(&path);
        if there.is_ok_and(|meta| meta.is_file() && meta.len() == layer.blob_size) {
            return Ok(());
        }
        replace(&path, |file| store.write_layer(layer, file))
    }

    /// Writes what leads to the blobs.
    pub(crate) fn finish(&self, manifests: Vec<Descriptor>) -> Result<()> {
        self.file("oci-layout", OCI_LAYOUT)?;
        self.file("index.json", &index_of(manifests)?)
    }
}

impl<'a> Out<'a> {
    fn begin(place: LayoutPlace<'a>) -> Result<Self> {
        match place {
            LayoutPlace::Archive(out) => {
                let mut tar = TarWriter::new(BufWriter::with_capacity(CHUNK_BYTES, out));
                begin_blobs(&mut tar)?;
                Ok(Self::Archive(Box::new(tar)))
            }
            LayoutPlace::Folder(folder) => LayoutFolder::begin(folder).map(Self::Folder),
        }
    }

    fn file(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        match self {
            Self::Archive(tar) => tar.bytes(name, bytes).map_err(failed(name)),
            Self::Folder(folder) => folder.file(name, bytes),
        }
    }

    fn layer(&mut self, store: &Store, layer: &Layer) -> Result<()> {
        match self {
            Self::Archive(tar) => layer_entry(tar, store, layer),
            Self::Folder(folder) => folder.layer(store, layer),
        }
    }

    fn finish(self) -> Result<()> {
        match self {
            Self::Archive(tar) => {
                tar.finish().and_then(|mut out| out.flush()).map_err(failed("the end"))
            }
            Self::Folder(_) => Ok(()),
        }
    }
}

/// Writes a file of a layout beside its place, and renames it when it is whole.
fn replace(path: &Path, fill: impl FnOnce(&mut File) -> Result<()>) -> Result<()> {
    let mut new = path.as_os_str().to_owned();
    new.push(format!(".{}.new", std::process::id()));
    let new = PathBuf::from(new);
    let written = File::create(&new)
        .map_err(ImageError::io("create", &new))
        .and_then(|mut file| fill(&mut file))
        .and_then(|()| std::fs::rename(&new, path).map_err(ImageError::io("create", path)));
    if written.is_err() {
        // The error is about the file itself.
        drop(std::fs::remove_file(&new));
    }
    written
}

/// The folders that blobs are in.
pub(super) fn begin_blobs(tar: &mut TarWriter<impl Write>) -> Result<()> {
    for name in ["blobs", "blobs/sha256"] {
        let name = name.as_bytes().to_vec();
        let head = Head { name, kind: EntryKind::Directory, mode: 0o755, ..Head::default() };
        tar.head(&head).map_err(failed("blobs"))?;
    }
    Ok(())
}

/// A layer's blob as an entry of an archive; one that is not kept is made on the way.
pub(super) fn layer_entry(
    tar: &mut TarWriter<impl Write>,
    store: &Store,
    layer: &Layer,
) -> Result<()> {
    let name = blob_name(&layer.blob_digest);
    let size = layer.blob_size;
    let head = Head { name: name.clone().into_bytes(), mode: 0o644, size, ..Head::default() };
    let mut content = tar.begin(&head).map_err(failed(&name))?;
    store.write_layer(layer, &mut content)?;
    content.end().map_err(failed(&name))
}

pub(super) fn failed(entry: &str) -> impl FnOnce(io::Error) -> ImageError {
    let entry = entry.to_owned();
    move |source| ImageError::Pack { entry, source }
}
