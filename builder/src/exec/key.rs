//! Ids of results: digests of what is done, on what, with which content.
//!
//! Everything is written with its length, so that no two different steps write the same.

use coracle_image::Digest;
use coracle_image::digest::Hasher;

use crate::plan::{From, MountKind, Operation, Source, Step};

/// Changes when results of an older version must not be taken.
const VERSION: u32 = 1;

/// A digest in the making.
pub(super) struct Key(Hasher);

impl Key {
    pub(super) fn new(what: &str) -> Self {
        let mut key = Self(Hasher::new());
        key.number(VERSION.into()).text(what);
        key
    }

    pub(super) fn number(&mut self, number: u64) -> &mut Self {
        self.0.update(&number.to_le_bytes());
        self
    }

    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        self.number(text.len() as u64);
        self.0.update(text.as_bytes());
        self
    }

    pub(super) fn finish(self) -> Digest {
        self.0.finish()
    }
}

/// The id of a step: `on` is that of what it stands on, `contents` are the digests of what it takes.
pub(super) fn id(step: &Step, on: &str, contents: &[Option<String>]) -> Digest {
    let mut key = Key::new("step");
    key.text(&step.key().to_string()).text(on);
    for content in contents {
        key.text(content.as_deref().unwrap_or_default());
    }
    key.finish()
}

/// The id of a result that was made of other files than those that `id` stands for: they changed in between. What is
/// made on top of it is not what is made on top of that of `id`.
pub(super) fn id_of_other(id: &Digest, layer: &Digest) -> Digest {
    let mut key = Key::new("other");
    key.text(&id.to_string()).text(&layer.to_string());
    key.finish()
}

/// The sources of files of an operation, with the paths or patterns that are wanted of them.
pub(super) fn sources(operation: &Operation) -> Vec<(&From, &str)> {
    match operation {
        Operation::Copy(copy) => {
            let files = copy.sources.iter().filter_map(|source| match source {
                Source::Files { from, pattern } => Some((from, pattern.as_str())),
                _ => None,
            });
            files.collect()
        }
        Operation::Run(run) => {
            let binds = run.mounts.iter().filter_map(|mount| match &mount.kind {
                MountKind::Bind { from, source, .. }
                | MountKind::Cache { from: Some((from, source)), .. } => {
                    Some((from, source.as_str()))
                }
                _ => None,
            });
            binds.collect()
        }
        Operation::Image { .. } | Operation::Folder { .. } => Vec::new(),
    }
}
