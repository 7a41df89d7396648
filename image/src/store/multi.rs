//! Indexes: names that stand for one image on several platforms.
//!
//! # How it works
//!
//! `pull --all-platforms` brings an image for each platform that an index lists. The name leads to the
//! one that suits this machine, as always; beside the names, the image index remembers which index the
//! name stands for, so that the others are found by platform and a push sends the index as it came.
//! Manifests that are no images (attestations) are kept as blobs, for that push alone.
//!
//! # Limits
//!
//! The record is gone when the name moves to another image. An index inside an index is refused.

use std::collections::{HashMap, HashSet};

use super::index::{Index, NamedIndex, Names, Row};
use super::{Image, Store, fsutil};
use crate::digest::Digest;
use crate::error::Result;
use crate::limits::MANIFEST_BYTES_MAX;
use crate::platform::Platform;
use crate::reference::Reference;

impl Index {
    /// Gives a name to an image. Which index it stood for is no longer true.
    pub(super) fn give_name(&mut self, name: String, id: Digest) {
        self.indexes.remove(&name);
        self.names.insert(name, id);
    }

    /// Takes a name away, with tag or digest: the image it led to, and the index it stood for.
    pub(super) fn take_name(&mut self, name: &str) -> Option<(Digest, Option<NamedIndex>)> {
        let id = self.names.remove(name).or_else(|| self.digests.remove(name))?;
        Some((id, self.indexes.remove(name)))
    }

    fn row_of_manifest(&self, manifest: &Digest) -> Option<&Row> {
        self.images.iter().find(|row| row.manifests.iter().any(|known| known.digest == *manifest))
    }

    /// The images of an index that are here, as that index means them.
    fn variants(&self, named: &NamedIndex) -> Result<Vec<Image>> {
        let names = Names::of(self)?;
        let variant = |manifest: &Digest| {
            let row = self.row_of_manifest(manifest)?;
            let meant = row.manifests.iter().find(|known| known.digest == *manifest)?;
            Some(Image::of_manifest(row, meant, &names))
        };
        Ok(named.images.iter().filter_map(variant).collect())
    }
}

/// What a name stands for when it stands for an index.
#[derive(Debug, Clone)]
pub struct Variants {
    /// Of the index.
    pub digest: Digest,
    /// The images of it that are here, in its order.
    pub images: Vec<Image>,
    /// The index itself, and what is attached to its images.
    blobs: Vec<Digest>,
}

impl Store {
    /// The indexes that names stand for, by the name in full.
    pub fn indexes(&self) -> Result<HashMap<String, Variants>> {
        let index = self.read_index()?;
        let variants = |(name, named): (&String, &NamedIndex)| {
            let (images, blobs) = (index.variants(named)?, named.blobs().collect());
            Ok((name.clone(), Variants { digest: named.digest, images, blobs }))
        };
        index.indexes.iter().map(variants).collect()
    }

    /// Bytes of what is stored of these images as registries have it: configurations, manifests and
    /// packed layers, each counted once, and of the index that they are the images of.
    pub fn content_size<'a>(
        &self,
        images: impl IntoIterator<Item = &'a Image>,
        index: Option<&Variants>,
    ) -> u64 {
        let mut blobs: HashSet<Digest> = HashSet::new();
        for image in images {
            blobs.extend([image.id, image.manifest_digest]);
            // A layer that was made here has none until it is pushed.
            blobs.extend(image.layers.iter().map(|layer| layer.blob_digest));
        }
        blobs.extend(index.into_iter().flat_map(|index| index.blobs.iter().copied()));
        blobs.iter().filter_map(|blob| self.blob_size(blob).ok()).sum()
    }

    /// Remembers that `name`, which an image has already, stands for an index. `bytes` is the index.
    pub(crate) fn set_named_index(
        &self,
        name: &Reference,
        bytes: &[u8],
        named: NamedIndex,
    ) -> Result<()> {
        self.put_blob(bytes, Some(&named.digest))?;
        fsutil::sync_filesystem(self.root())?;
        self.update_index(|index| {
            index.indexes.insert(name.to_string(), named);
            Ok(())
        })
    }

    /// The index that `name` stands for, and its images that are here.
    pub(crate) fn named_index(&self, name: &Reference) -> Result<Option<(NamedIndex, Vec<Image>)>> {
        let index = self.read_index()?;
        let Some(named) = index.indexes.get(&name.to_string()) else { return Ok(None) };
        Ok(Some((named.clone(), index.variants(named)?)))
    }

    pub(crate) fn named_index_bytes(&self, named: &NamedIndex) -> Result<Vec<u8>> {
        self.read_blob(&named.digest, MANIFEST_BYTES_MAX)
    }

    /// The image for `wanted` among those of the index that `text` stands for; without an index,
    /// the image itself if it is for that platform.
    pub fn find_variant(&self, text: &str, wanted: &Platform) -> Result<Option<Image>> {
        let image = self.find(text)?;
        let name = Reference::parse(text).ok().map(Reference::with_default_tag);
        let mut variants = match name {
            Some(name) => self.named_index(&name)?.map(|(_, images)| images).unwrap_or_default(),
            None => Vec::new(),
        };
        variants.push(image);
        let rank = |image: &Image| wanted.rank(&image.platform());
        Ok(variants.into_iter().filter(|image| rank(image).is_some()).min_by_key(rank))
    }

    /// Gives the image that `source` leads to a further name, and with it the index that `source`
    /// stands for.
    pub fn tag_as(&self, source: &str, target: &Reference) -> Result<Image> {
        let image = self.find(source)?;
        self.tag(&image.id, target)?;
        let from = Reference::parse(source).ok().map(|name| name.with_default_tag().to_string());
        let to = target.clone().with_default_tag().to_string();
        self.update_index(|index| {
            let named = from.and_then(|from| index.indexes.get(&from).cloned());
            // Unless the source has become another image meanwhile.
            if let Some(named) = named.filter(|_| index.names.get(&to) == Some(&image.id)) {
                index.indexes.insert(to, named);
            }
            Ok(())
        })?;
        Ok(image)
    }
}
