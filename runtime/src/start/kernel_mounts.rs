//! Whether the kernel lets us mount `/proc` and `/sys` afresh.
//!
//! In a user namespace it does so only where a mount of the same kind is fully visible:
//! nothing hides a part of it, and it is not read-only when the new one would not be. In a
//! container of Docker's making parts of `/proc` are hidden and `/sys` is read-only.
//!
//! The host's `/sys` can stand in. The host's `/proc` cannot: through it a container could
//! write into the memory of processes outside that have the same user.

use crate::spec::KernelFs;

/// Mounts below `/proc` on directories that are empty by definition, so that they hide nothing.
const PROC_PLACES: [&str; 2] = ["/proc/sys/fs/binfmt_misc", "/proc/fs/nfsd"];
/// The same in `/sys`.
const SYS_PLACES: [&str; 7] = [
    "/sys/fs/",
    "/sys/kernel/config",
    "/sys/kernel/debug",
    "/sys/kernel/security",
    "/sys/kernel/tracing",
    "/sys/firmware/efi/efivars",
    "/sys/hypervisor",
];

/// What can be mounted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct KernelMounts {
    /// What hides parts of `/proc`; empty when it can be mounted.
    pub(crate) hide_proc: Vec<String>,
    pub(crate) sysfs: KernelFs,
}

impl KernelMounts {
    /// Reads what is mounted, from the text of `/proc/self/mountinfo`.
    pub(crate) fn look(mountinfo: &str) -> Self {
        let mounts: Vec<(&str, &str, &str)> = mountinfo.lines().filter_map(parse).collect();
        let below = |top: &str, places: &[&str]| -> Vec<String> {
            let hides = |point: &&str| {
                point.starts_with(top) && !places.iter().any(|place| point.starts_with(place))
            };
            mounts.iter().map(|(point, ..)| *point).filter(hides).map(str::to_owned).collect()
        };
        // The last one mounted is the one that is seen.
        let sys = mounts.iter().rev().find(|(point, ..)| *point == "/sys");
        let sysfs = match sys {
            Some((_, kind, _)) if *kind != "sysfs" => KernelFs::Absent,
            None => KernelFs::Absent,
            Some((.., options)) if options.split(',').any(|option| option == "ro") => {
                KernelFs::Bind
            }
            Some(_) if !below("/sys/", &SYS_PLACES).is_empty() => KernelFs::Bind,
            Some(_) => KernelFs::Mount,
        };
        Self { hide_proc: below("/proc/", &PROC_PLACES), sysfs }
    }
}

/// Where a mount is, its file system, and its own options (proc_pid_mountinfo(5)).
fn parse(line: &str) -> Option<(&str, &str, &str)> {
    let (mount, file_system) = line.split_once(" - ")?;
    let mut fields = mount.split(' ').skip(4);
    let (point, options) = (fields.next()?, fields.next()?);
    Some((point, file_system.split(' ').next()?, options))
}

#[cfg(test)]
mod tests {
    use crate::start::kernel_mounts::*;

    #[test]
    fn a_host() {
        let text = "\
22 1 0:21 / /proc rw,nosuid,nodev,noexec,relatime shared:5 - proc proc rw
23 1 0:22 / /sys rw,nosuid,nodev,noexec,relatime shared:6 - sysfs sysfs rw
24 23 0:23 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:7 - cgroup2 cgroup2 rw
25 22 0:24 / /proc/sys/fs/binfmt_misc rw,relatime shared:8 - autofs systemd-1 rw
";
        let found = KernelMounts::look(text);
        assert_eq!(found, KernelMounts { hide_proc: Vec::new(), sysfs: KernelFs::Mount });
    }

    #[test]
    fn a_container() {
        let text = "\
22 1 0:21 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw
23 1 0:22 / /sys ro,nosuid,nodev,noexec,relatime - sysfs sysfs rw
24 22 0:23 /null /proc/kcore rw,nosuid - tmpfs tmpfs rw
";
        let hide_proc = vec!["/proc/kcore".to_owned()];
        let found = KernelMounts::look(text);
        assert_eq!(found, KernelMounts { hide_proc, sysfs: KernelFs::Bind });
        assert_eq!(KernelMounts::look("").sysfs, KernelFs::Absent);
        let hidden = format!("{text}25 1 0:24 / /sys rw,relatime - tmpfs tmpfs rw\n");
        assert_eq!(KernelMounts::look(&hidden).sysfs, KernelFs::Absent);
    }
}
