//! Removes entries of the cache.

use std::path::Path;

use coracle_image::{Image, Store};
use coracle_runtime::model::Timestamp;
use coracle_runtime::volumes::remove_tree;

use super::usage::{Usage, UsageKind, is_held, usage};
use super::{Cache, StepLock};

/// What is to go; without any wish that is all but what an image has too.
#[derive(Debug, Clone, Default)]
pub struct PruneFilter {
    /// Also what images have: it is made anew by the next build.
    pub all: bool,
    /// Only what was last used before.
    pub unused_since: Option<Timestamp>,
    /// This many bytes may stay: the last used first.
    pub keep_bytes: Option<u64>,
    /// Only of this kind.
    pub kind: Option<UsageKind>,
    /// Only entries whose id begins so.
    pub id: Option<String>,
}

/// What went.
#[derive(Debug, Clone, Default)]
pub struct Pruned {
    pub entries: Vec<Usage>,
    /// Bytes.
    pub freed: u64,
}

/// Removes entries from the cache in the data root `data`. What is in use stays. Layers are let go: the store's next
/// collection removes them.
///
/// Whoever calls has entered the namespaces.
pub fn prune(data: &Path, store: &Store, images: &[Image], filter: &PruneFilter) -> Pruned {
    let cache = Cache::at(data);
    let mut out = Pruned::default();
    let mut kept = 0;
    for row in usage(data, images) {
        let spare = filter.keep_bytes.is_some_and(|bytes| kept + row.size <= bytes);
        if row.in_use || spare || !wanted(&row, filter) {
            kept += row.size;
            continue;
        }
        if remove(&cache, &row) {
            out.freed += if row.shared { 0 } else { row.size };
            out.entries.push(row);
        }
    }
    let left: Vec<_> = cache.ids().iter().filter_map(|id| cache.get(id)).collect();
    for row in out.entries.iter().filter(|row| row.kind == UsageKind::Regular) {
        let Some(layer) = row.layer else { continue };
        if left.iter().all(|record| record.layer.diff_id != layer) {
            // One that cannot be let go of is met again by the next.
            drop(store.release_layer(&layer));
        }
    }
    out
}

fn wanted(row: &Usage, filter: &PruneFilter) -> bool {
    let by_time =
        filter.unused_since.is_none_or(|since| row.last_used.unwrap_or(row.created) < since);
    let by_kind = filter.kind.is_none_or(|kind| kind == row.kind);
    let by_id = filter.id.as_ref().is_none_or(|id| row.id.hex().starts_with(id.as_str()));
    (filter.all || !row.shared) && by_time && by_kind && by_id
}

/// False when somebody uses it after all.
fn remove(cache: &Cache, row: &Usage) -> bool {
    match row.kind {
        UsageKind::Regular => {
            let lock: Option<StepLock> = cache.try_lock(&row.id).ok().flatten();
            if lock.is_some() {
                cache.forget(&row.id);
            }
            lock.is_some()
        }
        UsageKind::CacheMount => {
            let folder = cache.root.join("mounts").join(row.id.hex());
            !is_held(&folder.join("lock")) && remove_tree(&folder).is_ok()
        }
    }
}
