//! `images.json`: which images there are and what they are called.
//!
//! Readers read the file as it is: it is replaced whole. Writers take the lock file
//! beside it, read, change, replace. `images.json.bak` has the same content: names stand
//! nowhere else, and a repair finds them there.
//!
//! An index that is damaged, or missing while there is content, is an error: taken for an
//! empty one, it would make garbage of every image.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use coracle_sys::file_lock::Share;
use serde::{Deserialize, Serialize};

use super::ingest::Layer;
use super::{Store, fsutil, lock};
use crate::digest::Digest;
use crate::error::{ImageError, Result};
use crate::limits::INDEX_BYTES_MAX;
use crate::reference::Reference;

/// Format this program writes; it reads every older one.
/// 2: which names stand for an index.
const FORMAT_VERSION: u32 = 2;

/// Everything `images.json` holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Index {
    pub(super) version: u32,
    pub(super) images: Vec<Row>,
    /// Full name with tag to image id.
    pub(super) names: BTreeMap<String, Digest>,
    /// Full name with manifest digest to image id.
    pub(super) digests: BTreeMap<String, Digest>,
    /// Full name, with tag or digest, to the index it stands for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) indexes: BTreeMap<String, NamedIndex>,
}

/// One image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) id: Digest,
    /// RFC 3339, from the image's configuration.
    pub(super) created: String,
    pub(super) os: String,
    pub(super) architecture: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) variant: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) parent: Option<Digest>,
    /// RFC 3339; when a name was last given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) last_tag_time: Option<String>,
    /// The manifests this image came with, newest first; never empty.
    pub(super) manifests: Vec<ManifestRow>,
}

/// One manifest of an image: the same content may be compressed in several ways.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ManifestRow {
    pub(super) digest: Digest,
    pub(super) media_type: String,
    pub(super) layers: Vec<Layer>,
}

/// The index that a name stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NamedIndex {
    pub(crate) digest: Digest,
    pub(crate) media_type: String,
    /// Digests of the manifests that are images, in the order of the index.
    pub(crate) images: Vec<Digest>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) attached: Vec<Attached>,
}

/// A manifest of an index that is no image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attached {
    pub(crate) manifest: Digest,
    pub(crate) media_type: String,
    pub(crate) blobs: Vec<AttachedBlob>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AttachedBlob {
    pub(crate) digest: Digest,
    pub(crate) size: u64,
}

impl NamedIndex {
    /// Every blob that a push of it reads, beside those of its images.
    pub(super) fn blobs(&self) -> impl Iterator<Item = Digest> {
        let attached = self.attached.iter().flat_map(|one| {
            one.blobs.iter().map(|blob| blob.digest).chain(std::iter::once(one.manifest))
        });
        attached.chain(std::iter::once(self.digest))
    }
}

/// Names of all images, by image.
#[derive(Default)]
pub(super) struct Names {
    pub(super) tags: HashMap<Digest, Vec<Reference>>,
    pub(super) digests: HashMap<Digest, Vec<Reference>>,
}

impl Names {
    pub(super) fn of(index: &Index) -> Result<Self> {
        let mut names = Self::default();
        for (text, id) in &index.names {
            names.tags.entry(*id).or_default().push(Reference::parse(text)?);
        }
        for (text, id) in &index.digests {
            names.digests.entry(*id).or_default().push(Reference::parse(text)?);
        }
        Ok(names)
    }
}

/// Enough of the file to know whether the rest can be understood.
#[derive(Deserialize)]
struct VersionOnly {
    version: u32,
}

impl Default for Index {
    fn default() -> Self {
        Self {
            version: FORMAT_VERSION,
            images: Vec::new(),
            names: BTreeMap::new(),
            digests: BTreeMap::new(),
            indexes: BTreeMap::new(),
        }
    }
}

impl Index {
    fn parse(bytes: &[u8], path: &Path) -> Result<Self> {
        let damaged = |source| ImageError::IndexDamaged { path: path.to_owned(), source };
        let head: VersionOnly = serde_json::from_slice(bytes).map_err(damaged)?;
        if head.version > FORMAT_VERSION {
            let path = path.to_owned();
            return Err(ImageError::NewerFormat {
                path,
                found: head.version,
                known: FORMAT_VERSION,
            });
        }
        let index: Self = serde_json::from_slice(bytes).map_err(damaged)?;
        Ok(Self { version: FORMAT_VERSION, ..index })
    }

    pub(super) fn row(&self, id: &Digest) -> Option<&Row> {
        self.images.iter().find(|row| row.id == *id)
    }

    pub(super) fn row_mut(&mut self, id: &Digest) -> Option<&mut Row> {
        self.images.iter_mut().find(|row| row.id == *id)
    }

    /// The layers of all images.
    pub(super) fn layers(&self) -> impl Iterator<Item = &Layer> {
        self.images.iter().flat_map(|row| &row.manifests).flat_map(|manifest| &manifest.layers)
    }

    /// Whether an image has neither a name nor a repository digest.
    pub(super) fn is_unnamed(&self, id: &Digest) -> bool {
        !self.names.values().chain(self.digests.values()).any(|named| named == id)
    }
}

impl Store {
    pub(super) fn read_index(&self) -> Result<Index> {
        let path = self.index_path();
        match fsutil::read_optional(&path, INDEX_BYTES_MAX)? {
            Some(bytes) => Index::parse(&bytes, &path),
            None if self.has_content()? => Err(ImageError::IndexMissing { path }),
            None => Ok(Index::default()),
        }
    }

    /// The copy, as far as it can be used.
    pub(super) fn read_backup(&self) -> Index {
        let path = self.backup_path();
        let bytes = fsutil::read_optional(&path, INDEX_BYTES_MAX).ok().flatten();
        bytes.and_then(|bytes| Index::parse(&bytes, &path).ok()).unwrap_or_default()
    }

    /// Begins a store with an empty index, so that one without an index has lost it.
    pub(super) fn begin_index(&self) -> Result<()> {
        let (path, blobs) = (self.index_path(), self.root.join("blobs/sha256"));
        if path.exists() || blobs.exists() {
            return Ok(());
        }
        // One of several that begin at once does it, and what a killed one left is written over.
        let _lock = self.lock_index()?;
        if path.exists() || blobs.exists() {
            return Ok(());
        }
        let new = self.root.join(".images.json.new");
        let bytes =
            serde_json::to_vec(&Index::default()).map_err(ImageError::json("the image index"))?;
        fsutil::replace_file(&path, &new, &bytes)
    }

    fn has_content(&self) -> Result<bool> {
        for sub in ["blobs/sha256", "layers"] {
            let dir = self.root.join(sub);
            let mut entries = std::fs::read_dir(&dir).map_err(ImageError::io("read", &dir))?;
            if entries.next().is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn lock_index(&self) -> Result<std::fs::File> {
        let path = self.root.join("images.lock");
        let file = fsutil::open_lock(&path)?;
        lock::lock_wait(&file, Share::Alone, lock::INDEXING)
            .map_err(ImageError::io("lock", &path))?;
        Ok(file)
    }

    fn write_index(&self, bytes: &[u8]) -> Result<()> {
        let (backup, index) = (self.tmp_path("index")?, self.tmp_path("index")?);
        fsutil::write_synced(&backup, bytes)?;
        fsutil::write_synced(&index, bytes)?;
        fsutil::rename(&backup, &self.backup_path())?;
        fsutil::rename(&index, &self.index_path())?;
        fsutil::sync_dir(self.root())
    }

    /// Puts an index in the place of one that cannot be read; true: that was needed.
    pub(super) fn renew_index(&self, make: impl FnOnce() -> Result<Index>) -> Result<bool> {
        let _lock = self.lock_index()?;
        match self.read_index() {
            Err(ImageError::IndexDamaged { .. } | ImageError::IndexMissing { .. }) => {}
            read => return read.map(|_| false),
        }
        let bytes = serde_json::to_vec(&make()?).map_err(ImageError::json("the image index"))?;
        self.write_index(&bytes).map(|()| true)
    }

    /// Changes the index: no other writer comes between reading and replacing it.
    ///
    /// When `change` fails, or leaves the index as it was, nothing is written.
    pub(super) fn update_index<T>(
        &self,
        change: impl FnOnce(&mut Index) -> Result<T>,
    ) -> Result<T> {
        let _lock = self.lock_index()?;
        let mut index = self.read_index()?;
        let before = serde_json::to_vec(&index).map_err(ImageError::json("the image index"))?;
        let outcome = change(&mut index)?;
        let after = serde_json::to_vec(&index).map_err(ImageError::json("the image index"))?;
        if before != after {
            self.write_index(&after)?;
        }
        Ok(outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_format_is_refused_with_both_numbers() {
        let newer = br#"{"version":7,"images":"something else"}"#;
        let error = Index::parse(newer, Path::new("/d/images.json")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`/d/images.json` was written by a newer version: format 7, this one reads up to 2"
        );
    }

    #[test]
    fn an_index_survives_the_round_trip() {
        let text = serde_json::to_vec(&Index::default()).unwrap();
        assert_eq!(text, br#"{"version":2,"images":[],"names":{},"digests":{}}"#);
        assert!(Index::parse(&text, Path::new("x")).unwrap().images.is_empty());
    }

    #[test]
    fn the_former_format_is_read_and_becomes_the_present_one() {
        let name = "docker.io/library/x:1";
        let id = Digest::of(b"x");
        let text =
            format!(r#"{{"version":1,"images":[],"names":{{"{name}":"{id}"}},"digests":{{}}}}"#);
        let index = Index::parse(text.as_bytes(), Path::new("x")).unwrap();
        assert_eq!((index.version, index.names[name]), (FORMAT_VERSION, id));
        assert!(index.indexes.is_empty());
    }

    #[test]
    fn a_store_can_be_begun_by_several_at_once() {
        for _ in 0..20 {
            let dir = tempfile::tempdir().unwrap();
            let together = std::sync::Barrier::new(4);
            std::thread::scope(|scope| {
                let begin = || {
                    together.wait();
                    Store::open(dir.path(), crate::StoreOptions::default()).map(drop)
                };
                let all: Vec<_> = (0..4).map(|_| scope.spawn(begin)).collect();
                for one in all {
                    one.join().unwrap().unwrap();
                }
            });
            let store = Store::open(dir.path(), crate::StoreOptions::default()).unwrap();
            assert!(store.images().unwrap().is_empty());
        }
    }
}
