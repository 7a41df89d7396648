//! The content store: blobs by digest, unpacked layers by diffID, and the image index.
//!
//! # How it works
//!
//! ```text
//! blobs/sha256/<hex>            configs, manifests and layer blobs as they were received, or made for a push
//! layers/<diffid hex>/diff/     one layer, unpacked, ready to be an overlay lower directory
//! layers/<diffid hex>/layer.json
//! layers/<diffid hex>/kept       somebody keeps it, though no image may have it
//! images.json                   rows, names and repository digests; replaced under a lock
//! images.json.bak               the same, for a repair
//! tmp/<process>/                work in progress; its directory is locked while the process lives
//! store.lock                    held shared while content is added or used, exclusive to collect
//! ```
//!
//! Content is written below `tmp`, verified, and renamed into place. An image becomes
//! visible by one replacement of `images.json`, after everything it needs is on disk.
//! So a process that dies at any moment leaves each image whole or absent;
//! [`Store::recover`] clears what it left behind.
//!
//! # Not here
//!
//! No network and no containers. Who uses an image is told by the caller ([`InUse`]).

mod adopt;
mod blobs;
mod check;
mod collect;
mod compressed;
mod decompress;
mod find;
mod fsutil;
mod images;
mod index;
mod ingest;
mod layers;
mod lock;
mod multi;
mod rebuild;
mod remove;
mod tmp;
mod verify;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};

use crate::digest::Digest;
use crate::error::Result;

pub use check::{Finding, StoreCheck};
pub use collect::{ImageUsage, Usage};
pub use decompress::{Compression, decoder};
pub(crate) use fsutil::remove_tree;
pub(crate) use images::now;
pub use images::{Image, NewImage};
pub(crate) use index::{Attached, AttachedBlob, NamedIndex};
pub use ingest::{Layer, LayerSource, Progress};
pub use lock::{Hold, LayerLock};
pub use multi::Variants;
pub use remove::{ImageUser, InUse, PruneFilter, RemoveOptions, Removed};

/// How a store behaves; decided by the caller once.
#[derive(Debug, Clone, Copy, Default)]
pub struct StoreOptions {
    /// Only one user id is mapped: wanted owners are recorded in an attribute instead.
    pub one_id: bool,
}

/// An opened store. Cheap to open; may be shared between threads.
#[derive(Debug)]
pub struct Store {
    root: PathBuf,
    options: StoreOptions,
    hold: Mutex<Option<Hold>>,
    workspace: OnceLock<tmp::Workspace>,
}

impl Store {
    /// Opens the store below `root`, creating its directories if they are missing.
    pub fn open(root: impl Into<PathBuf>, options: StoreOptions) -> Result<Self> {
        let root = root.into();
        fsutil::make_private_dir(&root)?;
        let store = Self { root, options, hold: Mutex::new(None), workspace: OnceLock::new() };
        store.begin_index()?;
        for sub in ["blobs/sha256", "layers", "tmp"] {
            fsutil::make_private_dir(&store.root.join(sub))?;
        }
        Ok(store)
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn options(&self) -> StoreOptions {
        self.options
    }

    /// Where a layer's content is, whether or not it exists.
    pub fn layer_dir(&self, diff_id: &Digest) -> PathBuf {
        self.layer_home(diff_id).join("diff")
    }

    /// The overlay lower directories of an image, bottom first, each once.
    ///
    /// A layer that occurs twice counts where it lies highest, since it hides there
    /// whatever its lower copy could contribute; overlayfs refuses duplicates.
    pub fn layer_dirs(&self, image: &Image) -> Vec<PathBuf> {
        let mut seen = std::collections::HashSet::new();
        let mut dirs: Vec<_> = image
            .layers
            .iter()
            .rev()
            .filter(|layer| seen.insert(layer.diff_id))
            .map(|layer| self.layer_dir(&layer.diff_id))
            .collect();
        dirs.reverse();
        dirs
    }

    fn layer_home(&self, diff_id: &Digest) -> PathBuf {
        self.root.join("layers").join(diff_id.hex())
    }

    fn index_path(&self) -> PathBuf {
        self.root.join("images.json")
    }

    fn backup_path(&self) -> PathBuf {
        self.root.join("images.json.bak")
    }
}
