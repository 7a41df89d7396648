//! Removes entries of the cache.

use std::path::Path;

use coracle_image::{Image, Store};
use coracle_runtime::volumes::remove_tree;

use super::usage::{Usage, UsageKind, is_held, usage};
use super::{Cache, StepLock};

/// What went.
#[derive(Debug, Clone, Default)]
pub struct Pruned {
    pub entries: Vec<Usage>,
    /// Bytes.
    pub freed: u64,
}

/// Removes the entries that `goes` says from the cache in the data root `data`. What is in use stays, and `keep_bytes` of
/// the whole may stay, those used last. Layers are let go: the store's next collection removes them.
///
/// Whoever calls has entered the namespaces.
pub fn prune(
    data: &Path,
    store: &Store,
    images: &[Image],
    goes: &dyn Fn(&Usage) -> bool,
    keep_bytes: Option<u64>,
) -> Pruned {
    let cache = Cache::at(data);
    let mut out = Pruned::default();
    let mut kept = 0;
    for row in usage(data, images) {
        let spare = keep_bytes.is_some_and(|bytes| kept + row.size <= bytes);
        if row.in_use || spare || !goes(&row) {
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
