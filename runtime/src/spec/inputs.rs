//! What [`super::build`] must be told beside the container's record.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::seccomp::{Arch, KernelVersion};
use crate::start::users::User;

use super::LAST_CAP;

/// Everything about this host and this start of the container.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// The mounted root filesystem.
    pub rootfs: PathBuf,
    /// From [`crate::start::users::resolve`].
    pub user: User,
    pub network: NetworkSource,
    /// `/proc/PID/ns/pid` of the container named by `--pid container:`.
    pub join_pid: Option<PathBuf>,
    /// `/proc/PID/ns/ipc` of the container named by `--ipc container:`.
    pub join_ipc: Option<PathBuf>,
    /// A directory for `/dev/shm`: the donor's for `--ipc container:`, the
    /// container's own for `--ipc shareable`.
    pub shm_dir: Option<PathBuf>,
    /// Files mounted over the image's in `/etc`.
    pub etc: EtcPaths,
    /// Where the container's delivered files are, in the order of its record.
    pub delivered: Vec<PathBuf>,
    /// The program mounted as `/sbin/docker-init` when `--init` is given.
    pub init: PathBuf,
    /// Absolute cgroup of the container; `None` when none is delegated.
    pub cgroups_path: Option<PathBuf>,
    /// The folders that the container's tmpfs mounts cover, by destination.
    pub covered: BTreeMap<String, Covered>,
    pub host: Host,
}

/// A folder that a tmpfs covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Covered {
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
}

/// Where the container's network namespace comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum NetworkSource {
    /// A fresh one with only a loopback device.
    #[default]
    New,
    /// The host's.
    Host,
    /// An existing one that our user namespace owns.
    Join(PathBuf),
}

/// Host paths of the files in `/etc`; `None` leaves the image's.
#[derive(Debug, Clone, Default)]
pub struct EtcPaths {
    pub resolv_conf: Option<PathBuf>,
    pub hostname: Option<PathBuf>,
    pub hosts: Option<PathBuf>,
}

/// How a file system of the kernel gets into the container.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum KernelFs {
    /// Mounted afresh.
    #[default]
    Mount,
    /// The host's, bound with everything below it: mounting is refused here.
    Bind,
    /// Neither is possible.
    Absent,
}

/// What was found out about this host.
#[derive(Debug, Clone)]
pub struct Host {
    pub arch: Arch,
    pub kernel: KernelVersion,
    /// The number of the last capability of this kernel.
    pub last_cap: u8,
    /// User and group ids mapped into our namespace, from 0 upwards.
    pub ids: u32,
    /// setgroups(2) works in our namespace.
    pub setgroups: bool,
    pub proc: KernelFs,
    pub sysfs: KernelFs,
    /// The cgroup file system, mounted in a cgroup namespace of its own.
    pub cgroup: KernelFs,
    /// The host has `/dev/mqueue`.
    pub mqueue: bool,
    /// Device nodes that `--privileged` passes on.
    pub devices: Vec<PathBuf>,
}

impl Default for Host {
    fn default() -> Self {
        Self {
            arch: Arch::NATIVE,
            kernel: KernelVersion { major: 6, minor: 1 },
            last_cap: LAST_CAP,
            ids: 65537,
            setgroups: true,
            proc: KernelFs::Mount,
            sysfs: KernelFs::Mount,
            cgroup: KernelFs::Mount,
            mqueue: true,
            devices: Vec::new(),
        }
    }
}
