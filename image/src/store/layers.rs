//! Unpacked layers in place: their records, and which of them may be relied on.
//!
//! A layer's files are written to the disk for certain only when an image that uses it
//! is committed. A power failure before that may leave a directory with files missing.
//! So each record names the boot it was written in; of another boot, only layers of
//! committed images count as present, and those that somebody keeps: these were written to the
//! disk for certain when they were kept.

use std::collections::HashSet;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::ingest::Layer;
use super::{Store, fsutil, remove_tree};
use crate::digest::Digest;
use crate::error::{ImageError, Result};
use crate::limits::CONFIG_BYTES_MAX;

/// A file of this name lies beside the directory of a layer that is kept though no image has it.
pub(super) const KEPT: &str = "kept";

const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// `layer.json`.
#[derive(Serialize, Deserialize)]
struct Record {
    #[serde(flatten)]
    layer: Layer,
    #[serde(default)]
    boot: String,
}

impl Store {
    /// Whether a layer is unpacked here.
    pub fn has_layer(&self, diff_id: &Digest) -> bool {
        self.layer_home(diff_id).join("layer.json").is_file()
    }

    /// What is known of an unpacked layer.
    pub fn layer(&self, diff_id: &Digest) -> Result<Layer> {
        let record = self.record(diff_id)?;
        record.map(|record| record.layer).ok_or(ImageError::LayerMissing { diff_id: *diff_id })
    }

    fn record(&self, diff_id: &Digest) -> Result<Option<Record>> {
        let path = self.layer_home(diff_id).join("layer.json");
        let Some(bytes) = fsutil::read_optional(&path, CONFIG_BYTES_MAX as u64)? else {
            return Ok(None);
        };
        let what = format!("`{}`", path.display());
        serde_json::from_slice(&bytes).map(Some).map_err(ImageError::json(what))
    }

    /// Whether a layer is unpacked here and its files are certainly there.
    pub(super) fn is_reliable(&self, diff_id: &Digest) -> Result<bool> {
        // A record cut short by a power failure is as good as none.
        let Ok(Some(record)) = self.record(diff_id) else { return Ok(false) };
        if !record.boot.is_empty() && record.boot == boot_id() || self.is_kept(diff_id) {
            return Ok(true);
        }
        let index = self.read_index()?;
        Ok(index.layers().any(|layer| layer.diff_id == *diff_id))
    }

    /// Keeps layers, though no image may have them, until [`Store::release_layer`]; they are on the disk
    /// for certain afterwards. Cheap when all of them are kept already.
    ///
    /// # Errors
    /// When one is not here, or the disk does not take them.
    pub fn keep_layers(&self, layers: &[Digest]) -> Result<()> {
        self.ensure_hold()?;
        let new: Vec<_> = layers.iter().filter(|id| !self.is_kept(id)).collect();
        if new.is_empty() {
            return Ok(());
        }
        if let Some(missing) = new.iter().find(|id| !self.has_layer(id)) {
            return Err(ImageError::LayerMissing { diff_id: **missing });
        }
        // What an image has is there for certain already.
        let index = self.read_index().unwrap_or_default();
        let committed: HashSet<Digest> = index.layers().map(|layer| layer.diff_id).collect();
        if !new.iter().all(|id| committed.contains(*id)) {
            fsutil::sync_filesystem(self.root())?;
        }
        for id in new {
            let path = self.layer_home(id).join(KEPT);
            std::fs::File::create(&path).map_err(ImageError::io("create", &path))?;
        }
        Ok(())
    }

    /// A layer is no longer kept for itself. The next collection removes it, unless an image or a
    /// container needs it.
    ///
    /// # Errors
    /// When the mark cannot be removed.
    pub fn release_layer(&self, diff_id: &Digest) -> Result<()> {
        remove_tree(&self.layer_home(diff_id).join(KEPT))
    }

    /// The layers that are kept for themselves.
    ///
    /// # Errors
    /// When the folder of layers cannot be read.
    pub fn kept_layers(&self) -> Result<Vec<Digest>> {
        let names = super::collect::names_in(&self.root().join("layers"))?;
        let ids = names.iter().filter_map(|name| Digest::from_hex(name).ok());
        Ok(ids.filter(|id| self.is_kept(id)).collect())
    }

    pub(super) fn is_kept(&self, diff_id: &Digest) -> bool {
        self.layer_home(diff_id).join(KEPT).exists()
    }

    /// Renames an unpacked layer into place; keeps the one that is there, if it is reliable.
    pub(super) fn place_layer(&self, home: &Path, layer: &Layer) -> Result<()> {
        let path = home.join("layer.json");
        let record = Record { layer: layer.clone(), boot: boot_id() };
        let bytes = serde_json::to_vec(&record).map_err(ImageError::json("the layer's record"))?;
        std::fs::write(&path, bytes).map_err(ImageError::io("write", &path))?;
        let target = self.layer_home(&layer.diff_id);
        if target.exists() && !self.is_reliable(&layer.diff_id)? {
            let away = self.tmp_path("unreliable")?;
            // Whoever was faster put a good one there.
            drop(std::fs::rename(&target, &away));
        }
        match std::fs::rename(home, &target) {
            Ok(()) => Ok(()),
            Err(_) if self.has_layer(&layer.diff_id) => remove_tree(home),
            Err(e) => Err(ImageError::io("rename into", &target)(e)),
        }
    }
}

/// Empty where the kernel does not tell: then no record is relied on for its boot.
fn boot_id() -> String {
    std::fs::read_to_string(BOOT_ID).map(|text| text.trim().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{LayerSource, StoreOptions};

    #[test]
    fn a_layer_of_another_boot_counts_only_within_an_image() {
        let dir = tempfile::tempdir().unwrap();
        let one_id = !rustix::process::geteuid().is_root();
        let store = Store::open(dir.path(), StoreOptions { one_id }).unwrap();
        let tar = [0; 1024];
        let source = LayerSource { diff_id: Some(Digest::of(&tar)), ..LayerSource::default() };
        let layer = store.ingest_layer(&source, &mut &tar[..], &|_| {}).unwrap();
        assert_eq!(store.existing_layer(&source).unwrap().as_ref(), Some(&layer));

        let home = store.layer_home(&layer.diff_id);
        let record = std::fs::read_to_string(home.join("layer.json")).unwrap();
        let other = record.replace(&boot_id(), "another");
        assert_ne!(record, other);
        std::fs::write(home.join("layer.json"), other).unwrap();
        std::fs::write(home.join("diff/damage"), "").unwrap();
        assert_eq!(store.existing_layer(&source).unwrap(), None);

        store.ingest_layer(&source, &mut &tar[..], &|_| {}).unwrap();
        assert_eq!(store.existing_layer(&source).unwrap().as_ref(), Some(&layer));
        assert!(!home.join("diff/damage").exists());
    }
}
