//! Where on this host we may make cgroups.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, StatVfsMountFlags};
use serde::{Deserialize, Serialize};

/// The name of the cgroup that holds what was in a base before it became one.
pub(super) const LEAF: &str = "coracle-leaf";
/// Our subtree when we may write at the top.
pub(super) const SUBTREE: &str = "coracle";
/// Controllers that a container gets where they are to be had.
pub(crate) const CONTROLLERS: [&str; 5] = ["cpu", "cpuset", "io", "memory", "pids"];

/// What the command line knows about the session, from its environment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// `$DBUS_SESSION_BUS_ADDRESS`.
    pub bus_address: Option<String>,
    /// `$XDG_RUNTIME_DIR`.
    pub runtime_dir: Option<PathBuf>,
}

/// The cgroup tree as this process sees it.
#[derive(Clone, Debug)]
pub struct Host {
    /// Where the v2 tree is mounted.
    pub mount: PathBuf,
    /// The cgroup of this process.
    pub own: PathBuf,
    pub settings: Settings,
}

/// Whether cgroups can be made at the top of the tree, as root can.
pub(crate) fn is_tree_ours() -> bool {
    rustix::fs::access("/sys/fs/cgroup", Access::WRITE_OK).is_ok()
}

impl Host {
    /// Looks at the tree; `None` when there is no cgroup v2 tree that can be written to.
    #[must_use]
    pub fn detect(settings: &Settings) -> Option<Self> {
        let mount = mount_point()?;
        let text = fs::read_to_string("/proc/self/cgroup").ok()?;
        let own = own_path(&mount, &text)?;
        Some(Self { mount, own, settings: settings.clone() })
    }

    /// The cgroup of this process, read again: systemd may have moved it.
    pub(super) fn own_now(&self) -> PathBuf {
        fs::read_to_string("/proc/self/cgroup")
            .ok()
            .and_then(|text| own_path(&self.mount, &text))
            .unwrap_or_else(|| self.own.clone())
    }

    /// A base that is ours already, because an earlier container of this process (or of its
    /// parents) made it one.
    pub(super) fn base_around_us(&self) -> Option<PathBuf> {
        if self.own.file_name()? != LEAF {
            return None;
        }
        let base = self.own.parent()?;
        is_writable(base).then(|| base.to_owned())
    }

    /// A base that needs nobody's help.
    pub(super) fn writable_base(&self) -> Option<PathBuf> {
        if is_writable(&self.mount) {
            return Some(self.mount.join(SUBTREE));
        }
        is_writable(&self.own).then(|| self.own.clone())
    }

    /// By what right containers get cgroups here, and the controllers they then have;
    /// `None` when they get none. Asks nobody: a socket that is there is believed.
    #[must_use]
    pub fn delegated_controllers(&self) -> Option<(String, Vec<String>)> {
        let list = |cgroup: &Path| -> Vec<String> {
            let text = fs::read_to_string(cgroup.join("cgroup.controllers")).unwrap_or_default();
            text.split_ascii_whitespace().map(ToOwned::to_owned).collect()
        };
        let has_socket = self.systemd_sockets().iter().any(|address| {
            address
                .strip_prefix("unix:path=")
                .is_some_and(|path| Path::new(path.split(',').next().unwrap_or(path)).exists())
        });
        if has_socket && !is_writable(&self.mount) {
            let uid = rustix::process::getuid().as_raw();
            let manager =
                self.mount.join(format!("user.slice/user-{uid}.slice/user@{uid}.service"));
            return Some(("by systemd".to_owned(), list(&manager)));
        }
        if has_socket {
            return Some(("by systemd".to_owned(), list(&self.mount)));
        }
        let base = self.base_around_us().or_else(|| self.writable_base())?;
        let there = if base.exists() { base.clone() } else { self.mount.clone() };
        Some((format!("at {}", base.display()), list(&there)))
    }

    /// Where a systemd that would make a scope for us may listen.
    pub(super) fn systemd_sockets(&self) -> Vec<String> {
        let root = rustix::process::geteuid().is_root() && is_real_root();
        let mut addresses = Vec::new();
        if root {
            addresses.push("unix:path=/run/systemd/private".to_owned());
        } else {
            addresses.extend(self.settings.bus_address.clone());
            if let Some(folder) = &self.settings.runtime_dir {
                for name in ["bus", "systemd/private"] {
                    addresses.push(format!("unix:path={}", folder.join(name).display()));
                }
            }
        }
        addresses.dedup();
        addresses
    }
}

/// Root of the machine, and not merely of a user namespace.
fn is_real_root() -> bool {
    fs::read_to_string("/proc/self/uid_map").is_ok_and(|map| {
        map.lines().any(|line| {
            let mut fields = line.split_ascii_whitespace();
            fields.next() == Some("0") && fields.next() == Some("0")
        })
    })
}

/// Where the v2 tree is: at the usual place, or beside the v1 trees of a hybrid host. One that
/// can only be read gives us nothing.
fn mount_point() -> Option<PathBuf> {
    ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"]
        .into_iter()
        .find(|path| is_v2(path) && !is_read_only(path))
        .map(PathBuf::from)
}

pub(crate) fn is_v2(path: &str) -> bool {
    const CGROUP2_SUPER_MAGIC: u64 = 0x6367_7270;
    rustix::fs::statfs(path).is_ok_and(|stat| u64::try_from(stat.f_type) == Ok(CGROUP2_SUPER_MAGIC))
}

fn is_read_only(path: &str) -> bool {
    rustix::fs::statvfs(path).is_ok_and(|stat| stat.f_flag.contains(StatVfsMountFlags::RDONLY))
}

/// The v2 line of `/proc/PID/cgroup` as a folder. A path outside our cgroup namespace
/// (`/../x`) is none.
pub(super) fn own_path(mount: &Path, text: &str) -> Option<PathBuf> {
    let path = text.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let path = path.strip_suffix(" (deleted)").unwrap_or(path);
    let inside = !path.split('/').any(|part| part == "..");
    inside.then(|| if path.is_empty() { mount.to_owned() } else { mount.join(path) })
}

/// Whether we may make children of a cgroup and move processes into them.
pub(super) fn is_writable(cgroup: &Path) -> bool {
    let may =
        |path: PathBuf| rustix::fs::accessat(CWD, path, Access::WRITE_OK, AtFlags::EACCESS).is_ok();
    may(cgroup.to_owned()) && may(cgroup.join("cgroup.procs"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_cgroup_from_the_v2_line() {
        let mount = Path::new("/sys/fs/cgroup");
        let own = |text| own_path(mount, text);
        assert_eq!(own("0::/a/b\n"), Some("/sys/fs/cgroup/a/b".into()));
        assert_eq!(own("8:pids:/x\n0::/\n"), Some("/sys/fs/cgroup".into()));
        assert_eq!(own("0::/../other\n"), None);
        assert_eq!(own("8:pids:/x\n"), None);
    }
}
