//! Features that are found by looking: the kernel, ids, cgroups, the session.

use std::fs;
use std::path::Path;

use coracle_sys::idmap::IdMap;
use coracle_sys::probe;

use super::Inputs;
use super::rung::Rung;
use crate::cgroup::{CONTROLLERS, Host, delegate_remedy};

/// Linux 5.11: overlay in user namespaces, and closing ranges of descriptors.
const KERNEL_MIN: (u32, u32) = (5, 11);

pub(super) fn kernel() -> Rung {
    let release = rustix::system::uname().release().to_string_lossy().into_owned();
    let found = format!("Linux {release}");
    match parse_release(&release) {
        Some(version) if version < KERNEL_MIN => Rung::refused(
            "kernel",
            format!("{found} is too old"),
            "boot Linux 5.11 or newer (5.15 is what we test)",
        ),
        _ => Rung::have("kernel", found),
    }
}

fn parse_release(release: &str) -> Option<(u32, u32)> {
    let mut parts = release.split(|byte: char| !byte.is_ascii_digit());
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

pub(super) fn system_calls() -> Rung {
    const NAME: &str = "system-calls";
    let missing = probe::missing_calls();
    if missing.is_empty() {
        return Rung::have(NAME, "pidfd_open, openat2, mount_setattr");
    }
    let forbidden = missing.iter().any(|call| call.forbidden);
    let list: Vec<String> =
        missing.iter().map(|call| format!("{} (Linux {})", call.name, call.since)).collect();
    let (why, remedy) = if forbidden {
        ("forbidden by a filter", "start the container we are in with a newer seccomp profile")
    } else {
        ("not in this kernel", "boot Linux 5.12 or newer")
    };
    Rung::refused(NAME, format!("{}: {why}", list.join(", ")), remedy)
}

pub(super) fn ids(inputs: &Inputs) -> Rung {
    const NAME: &str = "subordinate-ids";
    let (uid, gid) = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
    let name = inputs.user_name.as_deref();
    let map = IdMap::detect(uid, gid, name, inputs.may_map_ids);
    match &map {
        IdMap::Identity { .. } => Rung::have(NAME, "root: every id is our own"),
        IdMap::Subordinate { .. } => {
            Rung::have(NAME, format!("{} ids by newuidmap", map.uid_count()))
        }
        IdMap::Single { why } => Rung::fall_back(
            NAME,
            format!("one id, the others imitated: {why}"),
            "protection between the users of a container; some speed when packages install",
            why.remedy(&name.map_or_else(|| uid.to_string(), ToOwned::to_owned)),
        ),
    }
}

pub(super) fn cgroup(inputs: &Inputs) -> Rung {
    const NAME: &str = "cgroup";
    let lost = "limits (--memory, --cpus, --pids-limit) are refused; programs can see a pause";
    let Some(host) = Host::detect(&inputs.cgroup) else {
        return Rung::fall_back(
            NAME,
            "no cgroups: no version 2 tree that can be written to is mounted here",
            lost,
            "on a host with version 1 boot with `systemd.unified_cgroup_hierarchy=1`; in a container mount \
             /sys/fs/cgroup writable",
        );
    };
    let there = host.delegated_controllers();
    let hybrid = host.mount != Path::new("/sys/fs/cgroup");
    let Some((by, there)) = there else {
        let (to, remedy) = if hybrid {
            (
                "no cgroups: a hybrid host, its version 2 tree is not ours",
                "boot with `systemd.unified_cgroup_hierarchy=1`".to_owned(),
            )
        } else {
            (
                "no cgroups: none is delegated to us",
                "log in through systemd, or as root: `loginctl enable-linger USER`; check that \
                 XDG_RUNTIME_DIR is set"
                    .to_owned(),
            )
        };
        return Rung::fall_back(NAME, to, lost, remedy);
    };
    let missing: Vec<&str> =
        CONTROLLERS.into_iter().filter(|name| !there.iter().any(|have| have == name)).collect();
    if missing.is_empty() {
        return Rung::have(NAME, format!("version 2, {by}: {}", there.join(", ")));
    }
    let remedy = if hybrid {
        "boot with `systemd.unified_cgroup_hierarchy=1`".to_owned()
    } else {
        delegate_remedy()
    };
    Rung::fall_back(
        NAME,
        format!("version 2, {by}, without {}", missing.join(", ")),
        format!("limits by {}", missing.join(", ")),
        remedy,
    )
}

pub(super) fn seccomp() -> Rung {
    const NAME: &str = "seccomp";
    match fs::read_to_string("/proc/sys/kernel/seccomp/actions_avail") {
        Ok(actions) if actions.split_ascii_whitespace().any(|action| action == "user_notif") => {
            Rung::have(NAME, "filters with user notification")
        }
        Ok(_) => Rung::fall_back(
            NAME,
            "filters without user notification",
            "imitated ids where there are no subordinate ones",
            "boot Linux 5.0 or newer",
        ),
        Err(_) if status_field("Seccomp").is_some() => Rung::have(NAME, "filters"),
        Err(_) => Rung::refused(
            NAME,
            "this kernel has no filters for system calls",
            "use a kernel built with CONFIG_SECCOMP_FILTER=y, or accept \
             `--security-opt seccomp=unconfined`",
        ),
    }
}

pub(super) fn runtime_folder(inputs: &Inputs) -> Rung {
    const NAME: &str = "runtime-folder";
    let used = inputs.runtime_folder.display();
    if inputs.runtime_folder.starts_with(&inputs.data) {
        return Rung::have(NAME, used.to_string());
    }
    Rung::fall_back(
        NAME,
        format!("{used}: the data root holds no sockets or locks"),
        "nothing that lasts; the folder is checked to be yours alone",
        "keep the data root on a file system of Unix: CORACLE_DATA_ROOT names another place",
    )
}

/// Where we run: on the host or in a container, as root or not.
pub(super) fn place() -> Rung {
    let who = if rustix::process::geteuid().is_root() { "as root" } else { "as a user" };
    let place = match container() {
        Some(container) => format!("{who}, inside a container ({container})"),
        None => format!("{who}, on the host"),
    };
    Rung::have("environment", place)
}

/// The kind of container we are in, if that can be told.
pub(super) fn container() -> Option<String> {
    if Path::new("/.dockerenv").exists() {
        return Some("docker".to_owned());
    }
    if Path::new("/run/.containerenv").exists() {
        return Some("podman".to_owned());
    }
    // systemd-nspawn, LXC and our own say so in the environment of the first process.
    let environment = fs::read("/proc/1/environ").unwrap_or_default();
    environment
        .split(|byte| *byte == 0)
        .find_map(|entry| entry.strip_prefix(b"container="))
        .map(|kind| String::from_utf8_lossy(kind).into_owned())
}

/// A field of `/proc/self/status`.
pub(super) fn status_field(name: &str) -> Option<String> {
    let text = fs::read_to_string("/proc/self/status").ok()?;
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(field, _)| *field == name)
        .map(|(_, value)| value.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases() {
        assert_eq!(parse_release("6.1.0-40-cloud-amd64"), Some((6, 1)));
        assert_eq!(parse_release("5.10.0"), Some((5, 10)));
        assert!(Some((5, 10)) < Some(KERNEL_MIN));
        assert_eq!(parse_release("x"), None);
    }

    #[test]
    fn status_of_this_process() {
        assert_eq!(status_field("Tgid"), Some(std::process::id().to_string()));
        assert_eq!(status_field("Nonsense"), None);
    }
}
