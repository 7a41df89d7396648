//! Clearing what nothing needs: after removals, and after processes that died.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::{InUse, NamedIndex, Store};
use crate::digest::{Digest, short_id};
use crate::error::{ImageError, Result};

/// What images take on disk, for `system df` and `images`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// All unpacked layers, each once.
    pub layers_size: u64,
    /// All blobs as received: configs, manifests, compressed layers.
    pub blobs_size: u64,
    /// By image id.
    pub images: HashMap<Digest, ImageUsage>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ImageUsage {
    pub size: u64,
    /// The part in layers that other images use as well.
    pub shared_size: u64,
    /// The part in layers of this image alone.
    pub unique_size: u64,
}

/// Names of what nothing needs.
struct Garbage {
    layers: Vec<String>,
    blobs: Vec<String>,
}

impl Store {
    /// Removes what dead processes left: work in progress, and layers and blobs of no image.
    ///
    /// Cheap when there is nothing to do. Called by commands that add images, before or after they do.
    /// While another process adds content, only work in progress is cleared.
    pub fn recover(&self, in_use: &InUse<'_>) -> Result<()> {
        self.sweep_tmp()?;
        self.collect_garbage(in_use)?;
        Ok(())
    }

    /// Removes layers and blobs that no image and no container needs; the bytes set free.
    pub(super) fn collect_garbage(&self, in_use: &InUse<'_>) -> Result<u64> {
        let Some((freed, doomed)) = self.exclusively(|| self.take_garbage(in_use))? else {
            return Ok(0);
        };
        // Out of sight already; the slow part happens without the lock.
        for path in doomed {
            super::remove_tree(&path)?;
        }
        Ok(freed)
    }

    /// Moves garbage out of sight; the caller holds the exclusive lock.
    fn take_garbage(&self, in_use: &InUse<'_>) -> Result<(u64, Vec<PathBuf>)> {
        let garbage = self.garbage(in_use)?;
        let mut freed = 0;
        let mut doomed = Vec::new();
        for name in &garbage.layers {
            let id = Digest::from_hex(name).ok();
            freed += id.and_then(|id| self.layer(&id).ok()).map_or(0, |l| l.unpacked_size);
            doomed.push(self.take_away(&self.root.join("layers").join(name))?);
        }
        for name in &garbage.blobs {
            doomed.push(self.take_away(&self.root.join("blobs/sha256").join(name))?);
        }
        Ok((freed, doomed))
    }

    /// The names of layers and blobs that no image and no container needs; the caller holds
    /// the exclusive lock.
    fn garbage(&self, in_use: &InUse<'_>) -> Result<Garbage> {
        let index = self.read_index()?;
        let mut layers = HashSet::new();
        let mut blobs = HashSet::new();
        for row in &index.images {
            blobs.insert(row.id);
            for manifest in &row.manifests {
                blobs.insert(manifest.digest);
                blobs.extend(manifest.layers.iter().map(|layer| layer.blob_digest));
                layers.extend(manifest.layers.iter().map(|layer| layer.diff_id));
            }
        }
        blobs.extend(index.indexes.values().flat_map(NamedIndex::blobs));
        let known = |name: &String, known: &HashSet<Digest>| {
            Digest::from_hex(name).is_ok_and(|id| known.contains(&id))
        };
        let mut spare = names_in(&self.root.join("layers"))?;
        let kept = |name: &String| Digest::from_hex(name).is_ok_and(|id| self.is_kept(&id));
        spare.retain(|name| !known(name, &layers) && !kept(name));
        if !spare.is_empty() {
            // Asked only now: reading every container's record is not free.
            let used: HashSet<_> = in_use()?.into_iter().flat_map(|user| user.layers).collect();
            spare.retain(|name| !known(name, &used));
        }
        let mut unused = names_in(&self.root.join("blobs/sha256"))?;
        unused.retain(|name| !known(name, &blobs));
        Ok(Garbage { layers: spare, blobs: unused })
    }

    /// What `recover` would remove, in words; the caller holds the exclusive lock.
    pub(super) fn debris(&self, in_use: &InUse<'_>) -> Result<Vec<String>> {
        let garbage = self.garbage(in_use)?;
        let short = |name: &String| short_id(name).to_owned();
        let layers = garbage.layers.iter().map(|name| format!("layer {}", short(name)));
        let blobs = garbage.blobs.iter().map(|name| format!("blob {}", short(name)));
        Ok(layers.chain(blobs).collect())
    }

    fn take_away(&self, path: &Path) -> Result<PathBuf> {
        let away = self.tmp_path("removed")?;
        std::fs::rename(path, &away).map_err(ImageError::io("remove", path))?;
        Ok(away)
    }

    /// How much the images take, and how much of it they share.
    pub fn usage(&self) -> Result<Usage> {
        let images = self.images()?;
        let mut users: HashMap<Digest, usize> = HashMap::new();
        let mut sizes: HashMap<Digest, u64> = HashMap::new();
        for image in &images {
            let unique: HashSet<_> = image.layers.iter().map(|layer| layer.diff_id).collect();
            for id in unique {
                *users.entry(id).or_default() += 1;
            }
            sizes.extend(image.layers.iter().map(|layer| (layer.diff_id, layer.unpacked_size)));
        }
        let mut usage = Usage { layers_size: sizes.values().sum(), ..Usage::default() };
        for image in &images {
            let shared_size = image
                .layers
                .iter()
                .filter(|layer| users.get(&layer.diff_id).is_some_and(|n| *n > 1))
                .map(|layer| layer.unpacked_size)
                .sum();
            let size = image.size();
            let unique_size = size - shared_size;
            usage.images.insert(image.id, ImageUsage { size, shared_size, unique_size });
        }
        let blobs = self.root.join("blobs/sha256");
        for name in names_in(&blobs)? {
            usage.blobs_size += std::fs::metadata(blobs.join(name)).map_or(0, |meta| meta.len());
        }
        Ok(usage)
    }
}

pub(super) fn names_in(dir: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(ImageError::io("read", dir))? {
        let entry = entry.map_err(ImageError::io("read", dir))?;
        if let Ok(name) = entry.file_name().into_string() {
            names.push(name);
        }
    }
    Ok(names)
}
