//! What the cache takes: rows for `builder du`, `buildx du` and `system df`.

use std::fs;
use std::path::Path;

use chrono::{DateTime, Utc};
use coracle_image::{Digest, Image};
use coracle_runtime::model::Timestamp;
use coracle_runtime::volumes::tree_bytes;

use super::lock::is_held;
use super::{Cache, Kind};

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    pub id: Digest,
    pub parent: Option<Digest>,
    /// The layer of what a step made.
    pub layer: Option<Digest>,
    pub kind: UsageKind,
    pub description: String,
    pub created: Timestamp,
    pub last_used: Option<Timestamp>,
    pub uses: u64,
    /// Bytes.
    pub size: u64,
    /// An image has its layer too: removing it frees nothing.
    pub shared: bool,
    /// A step uses it at this moment.
    pub in_use: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum UsageKind {
    /// What a step made.
    Regular,
    /// A cache mount.
    CacheMount,
}

impl UsageKind {
    /// As BuildKit calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Regular => "regular",
            Self::CacheMount => "exec.cachemount",
        }
    }
}

/// All entries of the cache in the data root `data`, the last used first; `images` are those of the store. Sizes of
/// cache mounts are measured: whoever asks has entered the namespaces, or does without what only root may read there.
#[must_use]
pub fn usage(data: &Path, images: &[Image]) -> Vec<Usage> {
    let cache = Cache::at(data);
    let mut rows: Vec<Usage> = Vec::new();
    for id in cache.ids() {
        let Some(record) = cache.get(&id) else { continue };
        let used = fs::metadata(cache.result(&id).with_extension("used"));
        let has = |image: &Image| image.layers.iter().any(|l| l.diff_id == record.layer.diff_id);
        let lock = cache.root.join("locks").join(id.hex());
        rows.push(Usage {
            id,
            parent: record.parent,
            layer: Some(record.layer.diff_id),
            kind: UsageKind::Regular,
            description: description(&record.description, record.kind),
            created: record.created,
            last_used: used.as_ref().ok().and_then(last_change),
            uses: used.map_or(0, |meta| meta.len()),
            size: record.layer.unpacked_size,
            shared: images.iter().any(has),
            in_use: is_held(&lock),
        });
    }
    for (id, mount) in cache.mounts() {
        let folder = cache.root.join("mounts").join(id.hex());
        rows.push(Usage {
            id,
            parent: None,
            layer: None,
            kind: UsageKind::CacheMount,
            description: mount.description,
            created: mount.created,
            last_used: fs::metadata(folder.join("used")).as_ref().ok().and_then(last_change),
            uses: 0,
            size: tree_bytes(&folder.join("data")),
            shared: false,
            in_use: is_held(&folder.join("used")),
        });
    }
    rows.sort_by_key(|row| (std::cmp::Reverse(row.last_used), row.id.hex()));
    rows
}

fn description(name: &str, kind: Kind) -> String {
    match kind {
        Kind::Command => format!("mount / from exec {name}"),
        Kind::Files => name.to_owned(),
    }
}

fn last_change(meta: &fs::Metadata) -> Option<Timestamp> {
    Some(DateTime::<Utc>::from(meta.modified().ok()?).into())
}
