//! From the text of a file to trees with places, as Go's `yaml.v3` understands it.
//!
//! [`raw`] builds what is written, with tags and anchors; [`compose`] writes aliases out,
//! applies merge keys, gives scalars their types and finds `!reset` and `!override`.

mod compose;
mod marks;
mod raw;
mod repair;
mod scalar;

pub(crate) use marks::Marks;
pub(crate) use scalar::{is_plain_text, looks_like_old_bool};

use crate::tree::{Node, Result};

/// One YAML document.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) root: Node,
    pub(crate) marks: Marks,
}

/// The first document of a file; the tags of Compose mean nothing in it.
pub(crate) fn read_untagged(file: u16, bytes: &[u8]) -> Result<Option<Node>> {
    let documents = raw::documents(file, bytes)?;
    let Some(first) = documents.first() else { return Ok(None) };
    compose::document_untagged(first, &mut 0).map(|document| Some(document.root))
}

/// All documents of a file.
pub(crate) fn read(file: u16, bytes: &[u8]) -> Result<Vec<Document>> {
    let mut count = 0;
    raw::documents(file, bytes)?.iter().map(|raw| compose::document(raw, &mut count)).collect()
}
