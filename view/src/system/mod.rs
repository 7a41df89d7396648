//! The system as a whole: what it offers, and what its objects take.

mod info;
mod swarm;
mod usage;
mod version;

pub use info::{InfoSettings, info};
pub use usage::{DiskUsage, KindUsage, LogUsage, VolumeUsage};
pub use version::{Program, version};
