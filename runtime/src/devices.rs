//! Which devices of the host a privileged container is shown.
//!
//! # How it works
//!
//! Without root on the host nobody can make device nodes or give access to one. So the nodes
//! that the user may open anyway are shown, and the others are told of by their kind: as nodes
//! that nobody can open they would only mislead.
//!
//! # Limits
//!
//! The right to open a device through a supplementary group is lost where a container's
//! processes get groups of their own. Nodes are looked at and never opened: opening alone
//! rewinds a tape and arms a watchdog.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD};

use crate::model::DeviceMapping;

/// Every container has these of its own.
const OWN: [&str; 14] = [
    "console", "core", "fd", "full", "mqueue", "null", "ptmx", "pts", "random", "shm", "stderr",
    "tty", "urandom", "zero",
];
/// Folders below `/dev` that are entered, counted from there: `/dev/bus/usb/001`.
const DEPTH_MAX: u32 = 4;
/// Nodes that are looked at; more are those of a machine whose list nobody reads.
const NODES_MAX: usize = 4096;
/// Kinds that a warning names.
const KINDS_MAX: usize = 8;

/// The devices of the host.
#[derive(Debug, Default)]
pub(crate) struct Devices {
    /// What the user may open.
    pub(crate) shown: Vec<PathBuf>,
    /// How many may not be opened, and the names of their drivers.
    refused: usize,
    kinds: BTreeSet<String>,
}

impl Devices {
    /// What is left out, in one line.
    pub(crate) fn warning(&self) -> Option<String> {
        if self.refused == 0 {
            return None;
        }
        let kinds: Vec<&str> = self.kinds.iter().map(String::as_str).take(KINDS_MAX).collect();
        let more = if self.kinds.len() > KINDS_MAX { ", …" } else { "" };
        Some(format!(
            "--privileged shows the devices that this user may open; {} of the host are left out \
             ({}{more})",
            self.refused,
            kinds.join(", ")
        ))
    }
}

/// What cannot be done of what `--device` asks for: to take rights away. A device is as open in
/// the container as it is to the user.
pub(crate) fn unfiltered(named: &[DeviceMapping]) -> Option<String> {
    let partial = |device: &&DeviceMapping| {
        let given = &device.cgroup_permissions;
        let whole = given.contains('r') && given.contains('w');
        !(given.is_empty() || whole)
    };
    let device = named.iter().find(partial)?;
    Some(format!(
        "--device {}: {:?} takes no right away: only root can filter devices",
        device.path_on_host, device.cgroup_permissions
    ))
}

/// Looks at the nodes below `dev`.
pub(crate) fn look(dev: &Path) -> Devices {
    let drivers = fs::read_to_string("/proc/devices").unwrap_or_default();
    let mut devices = Devices::default();
    let mut left = NODES_MAX;
    visit(dev, DEPTH_MAX, &drivers, &mut left, &mut devices);
    devices.shown.sort();
    devices
}

fn visit(dir: &Path, depth: u32, drivers: &str, left: &mut usize, devices: &mut Devices) {
    // A folder that may not be read has nothing for this user.
    let Ok(entries) = fs::read_dir(dir) else { return };
    for entry in entries.filter_map(Result::ok) {
        let (name, path) = (entry.file_name(), entry.path());
        let own = depth == DEPTH_MAX && OWN.iter().any(|own| name == *own);
        let Some(kind) = entry.file_type().ok().filter(|_| !own && *left > 0) else { continue };
        *left -= 1;
        if kind.is_dir() && depth > 0 {
            visit(&path, depth - 1, drivers, left, devices);
        } else if kind.is_char_device() || kind.is_block_device() {
            if may_open(&path) {
                devices.shown.push(path);
            } else {
                devices.refused += 1;
                devices.kinds.extend(driver(&path, kind.is_block_device(), drivers));
            }
        }
    }
}

fn may_open(path: &Path) -> bool {
    let may = |access| rustix::fs::accessat(CWD, path, access, AtFlags::EACCESS).is_ok();
    may(Access::READ_OK) || may(Access::WRITE_OK)
}

/// The name of a device's driver, as `/proc/devices` has it.
fn driver(path: &Path, block: bool, drivers: &str) -> Option<String> {
    let major = rustix::fs::major(fs::symlink_metadata(path).ok()?.rdev());
    let (characters, blocks) = drivers.split_once("Block devices:").unwrap_or((drivers, ""));
    let list = if block { blocks } else { characters };
    list.lines().find_map(|line| {
        let (number, name) = line.trim().split_once(' ')?;
        (number.parse() == Ok(major)).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drivers_are_told_apart_by_their_kind() {
        let list = "Character devices:\n  1 mem\n\nBlock devices:\n  1 ramdisk\n";
        let null = Path::new("/dev/null");
        assert_eq!(driver(null, false, list).as_deref(), Some("mem"));
        assert_eq!(driver(null, true, list).as_deref(), Some("ramdisk"));
    }

    #[test]
    fn rights_are_not_taken_away() {
        let device = |permissions: &str| DeviceMapping {
            path_on_host: "/dev/x".to_owned(),
            path_in_container: "/dev/x".to_owned(),
            cgroup_permissions: permissions.to_owned(),
        };
        assert_eq!(unfiltered(&[device("rwm"), device("rw"), device("")]), None);
        let text = unfiltered(&[device("rw"), device("r")]).unwrap();
        assert!(text.starts_with("--device /dev/x: \"r\" takes no right away"), "{text}");
    }

    #[test]
    fn a_warning_is_one_line() {
        assert_eq!(Devices::default().warning(), None);
        let kinds = ["sd", "mem"].map(str::to_owned).into();
        let text = Devices { shown: vec![], refused: 3, kinds }.warning().unwrap();
        assert!(text.ends_with("3 of the host are left out (mem, sd)"), "{text}");
    }
}
