//! The OCI configuration of a container, worked out from its record.
//!
//! # How it works
//!
//! [`build`] is pure: the container's record and an [`Inputs`] with everything it
//! must know of this host go in, a [`Plan`] comes out. Modes that a user namespace
//! cannot have (mounting proc for `--pid host`, sysfs for `--network host`) become
//! bind mounts of the host's. The seccomp filter and the final capabilities are
//! not part of the OCI configuration: our own executor applies them last.
//!
//! # Limits
//!
//! Devices are bind-mounted, never made. `/dev` itself cannot be a bind mount.
//! Shared propagation towards the host is refused: in a user namespace it does not exist.
//!
//! # Not here
//!
//! Nothing is opened, probed or created.

mod build;
mod capabilities;
mod error;
mod inputs;
mod modes;
mod mounts;
mod process;
mod process_limit;
mod resources;
mod security;
mod sysctl;
mod tmpfs;

#[cfg(test)]
mod tests;

pub use build::{Plan, build};
pub use capabilities::{
    CapOption, CapSet, CapSets, LAST_CAP, names as capability_names,
    resolve as resolve_capabilities,
};
pub use error::SpecError;
pub use inputs::{Covered, EtcPaths, Host, Inputs, KernelFs, NetworkSource};
pub use modes::{CgroupnsMode, IpcMode, NetworkMode, PidMode, UtsMode};
pub use process::environment;
pub use process_limit::ProcessLimit;
pub use security::{SeccompChoice, SecurityOptions};
pub use sysctl::IPC_SYSCTLS;
