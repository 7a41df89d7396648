//! Removes entries of the cache, and what builds that died have left.

use std::collections::HashSet;
use std::path::Path;

use coracle_image::{Digest, Image, Store};

use super::usage::{Usage, UsageKind, usage};
use super::{Cache, StepLock};
use crate::exec::workshop::sweep_steps;

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
    cache.sweep_mounts();
    cache.sweep_unfinished();
    if cache.ids().is_empty() {
        cache.forget_digests();
    }
    sweep_steps(data);
    // Asked before the results: a layer is kept after its result is there.
    let kept = store.kept_layers().unwrap_or_default();
    let left = cache.ids().into_iter().filter_map(|id| Some(cache.get(&id)?.layer.diff_id));
    let left: HashSet<Digest> = left.collect();
    for layer in kept.iter().filter(|layer| !left.contains(layer)) {
        // One that cannot be let go of is met again by the next.
        drop(store.release_layer(layer));
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
        UsageKind::CacheMount => cache.remove_mount(&row.id),
    }
}
