//! Cache mounts: folders that commands share from build to build.
//!
//! `shared`: all use one at once. `locked`: one after the other. `private`: whoever finds it taken gets another one,
//! which stays for the next who does. Whoever uses one has `used` locked together with others, and whoever removes it alone.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::PathBuf;

use coracle_image::Digest;
use coracle_runtime::model::Timestamp;
use coracle_runtime::paths::make_private;
use coracle_runtime::volumes::remove_tree;
use serde::{Deserialize, Serialize};

use super::lock::{StepLock, UseLock, try_lock, try_use};
use super::{Cache, replace};
use crate::exec::key::Key;
use crate::instruction::mount::Sharing;

/// How many private ones of one name there may be.
const PRIVATE_MAX: u64 = 1000;
/// How the name of one ends that is being removed.
const GONE: &str = "gone";

/// What is on record of a cache mount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CacheMount {
    /// What the Dockerfile calls it.
    pub(super) id: String,
    pub(super) created: Timestamp,
    pub(super) description: String,
}

/// A cache mount that a step is about to use.
#[derive(Debug)]
pub(in crate::exec) struct Held {
    /// What is mounted.
    pub(in crate::exec) data: PathBuf,
    /// Nobody has filled it yet.
    pub(in crate::exec) is_new: bool,
    _lock: Option<StepLock>,
    _used: UseLock,
}

/// What tells one cache mount from another.
#[derive(Debug, Clone, Copy)]
pub(in crate::exec) struct Wanted<'a> {
    pub(in crate::exec) id: &'a str,
    /// What it begins with: the digest of that.
    pub(in crate::exec) from: &'a str,
    pub(in crate::exec) sharing: Sharing,
    pub(in crate::exec) description: &'a str,
}

impl Cache {
    /// Takes a cache mount; `None` when it has to be waited for.
    pub(in crate::exec) fn hold(&self, wanted: Wanted<'_>) -> io::Result<Option<Held>> {
        let folder = |number: u64| {
            let mut key = Key::new("cache mount");
            key.text(wanted.id).text(wanted.from).number(number);
            self.root.join("mounts").join(key.finish().hex())
        };
        let numbers = if wanted.sharing == Sharing::Private { PRIVATE_MAX } else { 1 };
        for number in 0..numbers {
            let folder = folder(number);
            make_private(&folder).map_err(io::Error::other)?;
            let used = match try_use(&folder.join("used")) {
                // It is removed at this moment: soon there is another.
                Ok(None) => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Ok(Some(used)) => used,
                Err(error) => return Err(error),
            };
            let lock = match wanted.sharing {
                Sharing::Shared => None,
                Sharing::Private | Sharing::Locked => {
                    let Some(lock) = try_lock(&folder.join("lock"), false)? else { continue };
                    Some(lock)
                }
            };
            let data = folder.join("data");
            let is_new = !data.is_dir();
            let record = CacheMount {
                id: wanted.id.to_owned(),
                created: coracle_runtime::clock::now(),
                description: wanted.description.to_owned(),
            };
            if is_new {
                let bytes = serde_json::to_vec(&record).map_err(io::Error::other)?;
                replace(&folder.join("mount.json"), &bytes)?;
            }
            used.touch()?;
            return Ok(Some(Held { data, is_new, _lock: lock, _used: used }));
        }
        Ok(None)
    }

    /// Removes the cache mounts of these names, but for those that steps use.
    pub(in crate::exec) fn clear_mounts(&self, names: &HashSet<String>) {
        for (id, _) in self.mounts().iter().filter(|(_, mount)| names.contains(&mount.id)) {
            self.remove_mount(id);
        }
    }

    /// Whether there are cache mounts of these names.
    pub(in crate::exec) fn has_mounts(&self, names: &HashSet<String>) -> bool {
        self.mounts().iter().any(|(_, mount)| names.contains(&mount.id))
    }

    /// Removes a cache mount; false when a step uses it.
    pub(super) fn remove_mount(&self, id: &Digest) -> bool {
        let folder = self.root.join("mounts").join(id.hex());
        let Ok(Some(_alone)) = try_lock(&folder.join("used"), false) else { return false };
        // Out of the way at once: whoever wants it meanwhile makes another.
        let gone = folder.with_extension(GONE);
        remove_tree(&gone).is_ok()
            && fs::rename(&folder, &gone).is_ok()
            && remove_tree(&gone).is_ok()
    }

    /// Removes what is left of cache mounts whose removal was cut short.
    pub(super) fn sweep_mounts(&self) {
        let root = self.root.join("mounts");
        for name in super::names(&root).iter().filter(|name| name.ends_with(GONE)) {
            // What stays is met by the next.
            drop(remove_tree(&root.join(name)));
        }
    }

    /// The names of the folders of cache mounts, and what is on record of them.
    pub(super) fn mounts(&self) -> Vec<(Digest, CacheMount)> {
        let root = self.root.join("mounts");
        let of = |name: String| {
            let bytes = fs::read(root.join(&name).join("mount.json")).ok()?;
            Some((Digest::from_hex(&name).ok()?, serde_json::from_slice(&bytes).ok()?))
        };
        super::names(&root).into_iter().filter_map(of).collect()
    }
}
