//! What a container mounts: `-v`, `--mount`, `--tmpfs`, `--volumes-from` and image volumes.
//!
//! # How it works
//!
//! Words are read in the two places Docker reads them, so that a mistake has the
//! same text and the same precedence: [`volume_flags`] and [`mount_flag`] do what
//! its client does with flags, [`plan`] what its engine does with a request. The
//! outcome lists the mounts and the volumes to be made for them; a volume's
//! directory is filled in by whoever keeps volumes.
//!
//! # Not here
//!
//! Nothing is looked up or created: whether a source exists is for the caller to see,
//! who then returns [`MountError::SourceMissing`].

mod error;
mod mode;
mod mount_flag;
mod plan;
mod validate;
mod volume_flag;
mod volume_name;

pub use error::{MountError, Side};
pub use mount_flag::mount_flag;
pub use plan::{Donor, PlannedMount, VolumeRequest, VolumesFrom, plan, volumes_from};
pub use volume_flag::{VolumeFlags, volume_flags};
pub use volume_name::check_volume_name;
