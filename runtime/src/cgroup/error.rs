//! Why a container gets no cgroup, or a limit does not take.

use std::io;
use std::path::PathBuf;

/// An error of the cgroup code.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CgroupError {
    #[error("cannot limit {}: no cgroup is delegated to us ({why})", .wanted.join(", "))]
    NotDelegated { wanted: Vec<&'static str>, why: String, on_v1: bool },
    #[error(
        "cannot limit {}: the cgroup {} has no such controller",
        .missing.join(", "),
        .base.display()
    )]
    ControllerMissing { missing: Vec<&'static str>, base: PathBuf, on_v1: bool },
    #[error("cannot limit {what}: {why}")]
    Unsupported { what: &'static str, why: &'static str },
    #[error("cannot write {value:?} to {}", .file.display())]
    Write { file: PathBuf, value: String, source: io::Error },
    #[error("cannot make the cgroup {}", .path.display())]
    Create { path: PathBuf, source: io::Error },
    #[error("cannot read {}", .path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot lock the cgroup {}", .path.display())]
    Lock { path: PathBuf, source: io::Error },
    #[error("cannot use the device {}", .path.display())]
    Device { path: PathBuf, source: io::Error },
    #[error("processes of the cgroup {} cannot be moved", .base.display())]
    Occupied { base: PathBuf, source: io::Error },
}

impl CgroupError {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let remedy = self.remedy()?;
        Some(match self {
            Self::NotDelegated { .. } | Self::ControllerMissing { .. } => format!(
                "{remedy}; or run without the limits: `--limits warn`, or \"limits\": \"warn\" in \
                 the settings"
            ),
            _ => remedy,
        })
    }

    fn remedy(&self) -> Option<String> {
        match self {
            Self::NotDelegated { on_v1: true, .. }
            | Self::ControllerMissing { on_v1: true, .. } => Some(
                "the host mounts it as cgroup v1, which cannot be delegated to users: boot \
                     with `systemd.unified_cgroup_hierarchy=1`"
                    .to_owned(),
            ),
            Self::NotDelegated { .. } => Some(
                "log in through systemd (`loginctl enable-linger $USER`, then `machinectl shell \
                 $USER@` or a new ssh session), or start coracle from `systemd-run --user --scope \
                 -p Delegate=yes`"
                    .to_owned(),
            ),
            Self::ControllerMissing { .. } => Some(delegate_remedy()),
            Self::Occupied { .. } => {
                Some("start coracle from `systemd-run --user --scope -p Delegate=yes`".to_owned())
            }
            _ => None,
        }
    }
}

/// How an administrator gives users the controllers.
#[must_use]
pub(crate) fn delegate_remedy() -> String {
    "as root, put `[Service]` and `Delegate=cpu cpuset io memory pids` in \
     /etc/systemd/system/user@.service.d/delegate.conf, run `systemctl daemon-reload`, and log \
     in again"
        .to_owned()
}
