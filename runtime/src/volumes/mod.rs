//! Volumes: directories with a name that outlive containers.
//!
//! # How it works
//!
//! `volumes/NAME/_data` is what a container sees; `volumes/NAME/volume.json` says what was
//! asked for. A volume is put together under a name that starts with a dot and renamed, and
//! taken apart the other way round, so one with its own name is always whole. What a killed
//! command leaves under a dot is swept by the next one that holds the lock.
//!
//! # Limits
//!
//! Driver `local` only. Its options can ask for a directory of the host (`o=bind`) or for
//! memory (`type=tmpfs`); other file systems would need privileges on the host.
//!
//! # Not here
//!
//! Which containers use a volume: callers pass that in.

mod attach;
mod copy_up;
mod error;
mod filter;
mod options;
mod record;
mod store;
mod tree;

pub use attach::Attached;
pub(crate) use attach::{Hold, open_beneath, split_owner};
pub use copy_up::copy_up;
pub use error::VolumeError;
pub use filter::Filter;
pub use options::Source;
pub use record::{ANONYMOUS_LABEL, Volume, VolumeInspect};
pub use store::{CreateVolume, Pruned, Volumes, VolumesLock};
pub use tree::{remove_tree, tree_bytes};
