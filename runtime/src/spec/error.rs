//! Why a container's configuration cannot be built; texts are Docker's where it has one.

use crate::seccomp::ProfileError;

use super::CapOption;

/// Why there is no plan for a container.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpecError {
    #[error("the working directory '{path}' is invalid, it needs to be an absolute path")]
    RelativeWorkingDir { path: String },

    #[error("invalid {}: unknown capability: \"{name}\"", match option { CapOption::Add => "CapAdd", CapOption::Drop => "CapDrop" })]
    UnknownCapability { option: CapOption, name: String },

    #[error("invalid --security-opt {part}: {option:?}")]
    SecurityOption { part: u8, option: String },

    #[error("cannot use the seccomp profile")]
    Seccomp { source: ProfileError },

    #[error("invalid PID mode: {mode}")]
    PidMode { mode: String },

    #[error("invalid IPC mode: {mode}")]
    IpcMode { mode: String },

    #[error("invalid UTS mode: {mode}")]
    UtsMode { mode: String },

    #[error("invalid cgroup namespace mode: {mode}")]
    CgroupnsMode { mode: String },

    #[error("the namespace of the container named by {option} is not known")]
    NothingToJoin { option: &'static str },

    #[error("conflicting options: hostname and the UTS mode")]
    HostnameWithHostUts,

    #[error("Invalid value {value}, range for oom score adj is [-1000, 1000]")]
    OomScoreRange { value: i32 },

    #[error("sysctl \"{name}\" not allowed in host {namespace} namespace")]
    SysctlInHostNamespace { name: String, namespace: &'static str },

    #[error("sysctl \"{name}\" is not in a separate kernel namespace")]
    SysctlNotNamespaced { name: String },

    #[error("invalid ulimit type: {name}")]
    UlimitName { name: String },

    #[error("ulimit soft limit must be less than or equal to hard limit: {soft} > {hard}")]
    UlimitOrder { soft: i64, hard: i64 },

    #[error("{what} id {id} is not mapped: this user namespace has {count} ids")]
    IdNotMapped { what: &'static str, id: u32, count: u32 },

    #[error("no cgroup is delegated to this user, so {} cannot be limited", .limits.join(", "))]
    LimitsUnavailable { limits: Vec<&'static str> },

    #[error("a bind mount on /dev is not supported")]
    BindOverDev,

    #[error("path {path} is mounted on {path} but it is not a shared mount")]
    SharedPropagation { path: String },

    #[error("invalid tmpfs option {option:?}")]
    TmpfsOption { option: String },
}

impl SpecError {
    /// What to do next, where we know it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::IdNotMapped { .. } => {
                Some("give the user more subordinate ids in /etc/subuid and /etc/subgid".to_owned())
            }
            Self::LimitsUnavailable { .. } => Some(
                "run inside a systemd user session with delegation, or drop the limit".to_owned(),
            ),
            Self::BindOverDev => {
                Some("name single devices with `--device`, or mount elsewhere".to_owned())
            }
            Self::SharedPropagation { .. } => Some(
                "a user namespace cannot pass mounts to the host; use `rslave` or `rprivate`"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}
