//! From what a user typed to an image: a name, a digest, an id or its beginning.

use super::images::images_of;
use super::{Image, Store};
use crate::digest::{Digest, HEX_LEN};
use crate::error::{ImageError, Result};
use crate::reference::Reference;

/// How a text led to an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Match {
    /// By name and tag.
    Name(Reference),
    /// By repository and manifest digest.
    RepoDigest(Reference),
    /// By its id, whole or cut.
    Id,
}

impl Store {
    /// Finds an image by `name[:tag]`, `name@digest`, id, or a unique beginning of its id.
    pub fn find(&self, text: &str) -> Result<Image> {
        self.find_match(text).map(|(image, _)| image)
    }

    pub(super) fn find_match(&self, text: &str) -> Result<(Image, Match)> {
        let index = self.read_index()?;
        let images = images_of(&index)?;
        let take = |id: &Digest| images.iter().find(|image| image.id == *id).cloned();
        let missing = || ImageError::NoSuchImage { name: missing_name(text) };

        if let Some(id) = whole_id(text) {
            return take(&id).map(|image| (image, Match::Id)).ok_or_else(missing);
        }
        if let Ok(name) = Reference::parse(text) {
            let name = name.with_default_tag();
            let found = match name.digest() {
                Some(_) => {
                    let bare = without_tag(&name)?;
                    let id = index.digests.get(&bare.to_string());
                    id.and_then(&take).map(|image| (image, Match::RepoDigest(bare)))
                }
                None => {
                    let id = index.names.get(&name.to_string());
                    id.and_then(&take).map(|image| (image, Match::Name(name)))
                }
            };
            if let Some(found) = found {
                return Ok(found);
            }
        }
        let prefix = text.strip_prefix("sha256:").unwrap_or(text);
        if !is_id_prefix(prefix) {
            return Err(missing());
        }
        let mut matching = images.iter().filter(|image| image.id.hex().starts_with(prefix));
        match (matching.next(), matching.next()) {
            (Some(image), None) => Ok((image.clone(), Match::Id)),
            (Some(_), Some(_)) => Err(ImageError::AmbiguousId { prefix: prefix.to_owned() }),
            (None, _) => Err(missing()),
        }
    }

    /// The image with exactly this id.
    pub fn get(&self, id: &Digest) -> Result<Image> {
        self.images()?
            .into_iter()
            .find(|image| image.id == *id)
            .ok_or_else(|| ImageError::NoSuchImage { name: id.to_string() })
    }
}

fn without_tag(name: &Reference) -> Result<Reference> {
    let digest = name.digest().unwrap_or_default().to_owned();
    Ok(name.with_digest(&digest)?)
}

fn whole_id(text: &str) -> Option<Digest> {
    text.parse().ok().or_else(|| Digest::from_hex(text).ok())
}

fn is_id_prefix(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= HEX_LEN
        && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// The name as Docker repeats it: with the tag it assumed.
fn missing_name(text: &str) -> String {
    match Reference::parse(text) {
        Ok(name) => name.with_default_tag().familiar(),
        Err(_) => text.to_owned(),
    }
}
