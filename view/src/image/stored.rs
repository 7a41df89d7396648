//! What names of images stand for, and what that takes on the disk: the rows of `images`.
//!
//! Names of one image that stand for the same have one entry: a name may stand for an index, which has an image for
//! each of several platforms.

use std::collections::{BTreeMap, HashMap, HashSet};

use coracle_image::{Digest, Image, Reference, Store, Variants};
use coracle_runtime::Home;

use super::{ImageSummary, container_counts};
use crate::ViewError;

/// What something takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bytes {
    /// All of it: the unpacked layers too.
    pub disk: u64,
    /// As registries have it: configurations, manifests, packed layers.
    pub content: u64,
}

/// What some names stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// With tags, or else with digests, as users write them, sorted; none has an image that lost its name.
    pub names: Vec<String>,
    pub id: String,
    pub bytes: Bytes,
    /// A container was made of it, or of one of its variants.
    pub in_use: bool,
    /// The images that are here, one for each platform; never empty.
    pub variants: Vec<Variant>,
}

/// An image for one platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    pub id: String,
    pub platform: String,
    pub bytes: Bytes,
    pub in_use: bool,
}

/// What the names of `images` stand for.
///
/// # Errors
/// When the store or the containers cannot be read.
pub fn stored(home: &Home, images: &[ImageSummary]) -> Result<Vec<Stored>, ViewError> {
    let store = home.store()?;
    let (indexes, counts) = (store.indexes()?, container_counts(home)?);
    let in_use = |image: &Image| counts.get(&image.id).is_some_and(|count| *count > 0);
    let mut out = Vec::new();
    for summary in images {
        for (index, mut names) in by_index(summary, &indexes) {
            names.sort();
            let own = std::slice::from_ref(&summary.image);
            let variants = match index {
                Some(index) if !index.images.is_empty() => &index.images[..],
                _ => own,
            };
            out.push(Stored {
                names,
                id: summary.id.clone(),
                bytes: bytes(store, variants, index),
                in_use: in_use(&summary.image) || variants.iter().any(in_use),
                variants: variants
                    .iter()
                    .map(|image| Variant {
                        id: image.id.to_string(),
                        platform: image.platform().to_string(),
                        bytes: bytes(store, std::slice::from_ref(image), None),
                        in_use: in_use(image),
                    })
                    .collect(),
            });
        }
    }
    Ok(out)
}

type Group<'a> = (Option<&'a Variants>, Vec<String>);

/// The names of an image with tags, together where they stand for the same; one group of its names with digests when
/// there are none.
fn by_index<'a>(summary: &ImageSummary, indexes: &'a HashMap<String, Variants>) -> Vec<Group<'a>> {
    let names: &[Reference] = summary.chosen.as_deref().unwrap_or(&summary.image.names);
    let mut groups: BTreeMap<Option<Digest>, Group<'a>> = BTreeMap::new();
    for name in names.iter().filter(|name| name.digest().is_none()) {
        let index = indexes.get(&name.to_string());
        let group = groups.entry(index.map(|index| index.digest)).or_default();
        group.0 = index;
        group.1.push(name.familiar());
    }
    if groups.is_empty() {
        // One that was fetched by its digest is called by it.
        return vec![(None, summary.repo_digests.clone().unwrap_or_default())];
    }
    groups.into_values().collect()
}

/// What images take together: what they share counts once.
fn bytes(store: &Store, images: &[Image], index: Option<&Variants>) -> Bytes {
    let content = store.content_size(images, index);
    let layers = images.iter().flat_map(|image| &image.layers);
    let mut seen = HashSet::new();
    let unpacked = layers.filter(|layer| seen.insert(layer.diff_id));
    Bytes { disk: content + unpacked.map(|layer| layer.unpacked_size).sum::<u64>(), content }
}
