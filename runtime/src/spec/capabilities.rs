//! Capabilities: Docker's default set and what `--cap-add`/`--cap-drop` make of it.
//!
//! Names may be given with or without `CAP_`, in any case; `ALL` stands for every
//! capability of this kernel. Dropping is applied to the defaults first, then
//! adding, so that `--cap-drop ALL --cap-add X` leaves X.

use oci_spec::runtime::{Capabilities, Capability};

use super::SpecError;

/// A set of capabilities, one bit each, numbered as the kernel does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CapSet(u64);

/// What the container's process is left with when its program starts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CapSets {
    pub bounding: CapSet,
    pub permitted: CapSet,
    pub effective: CapSet,
    pub inheritable: CapSet,
    pub ambient: CapSet,
}

/// Each capability with its name in Docker's spelling; the index is its number.
const CAPABILITIES: [(&str, Capability); 41] = [
    ("CAP_CHOWN", Capability::Chown),
    ("CAP_DAC_OVERRIDE", Capability::DacOverride),
    ("CAP_DAC_READ_SEARCH", Capability::DacReadSearch),
    ("CAP_FOWNER", Capability::Fowner),
    ("CAP_FSETID", Capability::Fsetid),
    ("CAP_KILL", Capability::Kill),
    ("CAP_SETGID", Capability::Setgid),
    ("CAP_SETUID", Capability::Setuid),
    ("CAP_SETPCAP", Capability::Setpcap),
    ("CAP_LINUX_IMMUTABLE", Capability::LinuxImmutable),
    ("CAP_NET_BIND_SERVICE", Capability::NetBindService),
    ("CAP_NET_BROADCAST", Capability::NetBroadcast),
    ("CAP_NET_ADMIN", Capability::NetAdmin),
    ("CAP_NET_RAW", Capability::NetRaw),
    ("CAP_IPC_LOCK", Capability::IpcLock),
    ("CAP_IPC_OWNER", Capability::IpcOwner),
    ("CAP_SYS_MODULE", Capability::SysModule),
    ("CAP_SYS_RAWIO", Capability::SysRawio),
    ("CAP_SYS_CHROOT", Capability::SysChroot),
    ("CAP_SYS_PTRACE", Capability::SysPtrace),
    ("CAP_SYS_PACCT", Capability::SysPacct),
    ("CAP_SYS_ADMIN", Capability::SysAdmin),
    ("CAP_SYS_BOOT", Capability::SysBoot),
    ("CAP_SYS_NICE", Capability::SysNice),
    ("CAP_SYS_RESOURCE", Capability::SysResource),
    ("CAP_SYS_TIME", Capability::SysTime),
    ("CAP_SYS_TTY_CONFIG", Capability::SysTtyConfig),
    ("CAP_MKNOD", Capability::Mknod),
    ("CAP_LEASE", Capability::Lease),
    ("CAP_AUDIT_WRITE", Capability::AuditWrite),
    ("CAP_AUDIT_CONTROL", Capability::AuditControl),
    ("CAP_SETFCAP", Capability::Setfcap),
    ("CAP_MAC_OVERRIDE", Capability::MacOverride),
    ("CAP_MAC_ADMIN", Capability::MacAdmin),
    ("CAP_SYSLOG", Capability::Syslog),
    ("CAP_WAKE_ALARM", Capability::WakeAlarm),
    ("CAP_BLOCK_SUSPEND", Capability::BlockSuspend),
    ("CAP_AUDIT_READ", Capability::AuditRead),
    ("CAP_PERFMON", Capability::Perfmon),
    ("CAP_BPF", Capability::Bpf),
    ("CAP_CHECKPOINT_RESTORE", Capability::CheckpointRestore),
];

/// Every capability, in Docker's spelling.
pub fn names() -> impl Iterator<Item = &'static str> {
    CAPABILITIES.iter().map(|(name, _)| *name)
}

/// The last capability this code knows (CAP_CHECKPOINT_RESTORE, Linux 5.9).
pub const LAST_CAP: u8 = 40;

impl CapSet {
    pub const EMPTY: Self = Self(0);

    /// Docker's fourteen: chown, dac_override, fowner, fsetid, kill, setgid, setuid, setpcap,
    /// net_bind_service, net_raw, sys_chroot, mknod, audit_write, setfcap.
    pub const DOCKER_DEFAULT: Self = Self(0xa804_25fb);

    /// CAP_SYS_ADMIN and CAP_SETPCAP: what installing a seccomp filter and then
    /// reducing the sets takes. CAP_NET_ADMIN: to switch the loopback device on.
    pub const TO_FINISH: Self = Self(1 << 21 | 1 << 12 | 1 << 8);

    /// Every capability up to number `last`.
    pub fn all(last: u8) -> Self {
        Self((1 << (u64::from(last.min(LAST_CAP)) + 1)) - 1)
    }

    /// The bits as `/proc/self/status` shows them.
    pub fn bits(self) -> u64 {
        self.0
    }

    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// True when the capability called `name` (`CAP_…`) is in the set.
    pub fn contains_name(self, name: &str) -> bool {
        number(name).is_some_and(|index| self.0 & (1 << index) != 0)
    }

    pub(super) fn to_oci(self) -> Capabilities {
        CAPABILITIES
            .iter()
            .enumerate()
            .filter(|(index, _)| self.0 & (1 << index) != 0)
            .map(|(_, &(_, capability))| capability)
            .collect()
    }
}

impl CapSets {
    /// The sets of a process that may hold `allowed`; only root holds them at once.
    pub fn for_user(allowed: CapSet, uid: u32) -> Self {
        let held = if uid == 0 { allowed } else { CapSet::EMPTY };
        Self { bounding: allowed, permitted: held, effective: held, ..Self::default() }
    }
}

/// Which side of the command line a name came from; it is part of the error text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CapOption {
    Add,
    Drop,
}

/// The capabilities of a container.
///
/// # Errors
/// When a name is no capability of this kernel, which has them up to `last`.
pub fn resolve(
    add: &[String],
    drop: &[String],
    privileged: bool,
    last: u8,
) -> Result<CapSet, SpecError> {
    if privileged {
        return Ok(CapSet::all(last));
    }
    let added = parse(add, CapOption::Add, last)?;
    let dropped = parse(drop, CapOption::Drop, last)?;
    if has_all(add) {
        // `--cap-drop ALL` beside it drops nothing: only names given one by one do.
        let named: Vec<String> = drop.iter().filter(|name| !is_all(name)).cloned().collect();
        return Ok(CapSet::all(last).without(parse(&named, CapOption::Drop, last)?));
    }
    let kept = if has_all(drop) { CapSet::EMPTY } else { CapSet::DOCKER_DEFAULT.without(dropped) };
    Ok(kept.union(added))
}

fn parse(names: &[String], option: CapOption, last: u8) -> Result<CapSet, SpecError> {
    let mut set = CapSet::EMPTY;
    for name in names {
        if is_all(name) {
            set = CapSet::all(last);
            continue;
        }
        let full = full_name(name);
        match number(&full) {
            Some(index) if index <= usize::from(last) => set.0 |= 1 << index,
            _ => return Err(SpecError::UnknownCapability { option, name: full }),
        }
    }
    Ok(set)
}

fn full_name(name: &str) -> String {
    let upper = name.trim().to_uppercase();
    if upper.starts_with("CAP_") { upper } else { format!("CAP_{upper}") }
}

fn number(full: &str) -> Option<usize> {
    CAPABILITIES.iter().position(|&(name, _)| name == full)
}

fn is_all(name: &str) -> bool {
    full_name(name) == "CAP_ALL"
}

fn has_all(names: &[String]) -> bool {
    names.iter().any(|name| is_all(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(add: &[&str], drop: &[&str]) -> u64 {
        resolved(add, drop).unwrap().bits()
    }

    fn resolved(add: &[&str], drop: &[&str]) -> Result<CapSet, SpecError> {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        resolve(&owned(add), &owned(drop), false, LAST_CAP)
    }

    #[test]
    fn gives_the_recorded_sets() {
        assert_eq!(bits(&[], &[]), 0xa804_25fb);
        assert_eq!(bits(&[], &["ALL"]), 0);
        assert_eq!(bits(&["NET_BIND_SERVICE"], &["ALL"]), 0x400);
        assert_eq!(bits(&["SYS_ADMIN"], &["CHOWN"]), 0xa824_25fa);
        assert_eq!(bits(&["cap_net_admin"], &[]), 0xa804_35fb);
        assert_eq!(bits(&["ALL"], &[]), 0x1ff_ffff_ffff);
        assert_eq!(bits(&["ALL"], &["ALL"]), 0x1ff_ffff_ffff);
        assert_eq!(bits(&["all"], &["Chown"]), 0x1ff_ffff_fffe);
    }

    #[test]
    fn privileged_has_all_the_kernel_knows() {
        assert_eq!(resolve(&[], &[], true, LAST_CAP).unwrap().bits(), 0x1ff_ffff_ffff);
        assert_eq!(resolve(&[], &[], true, 37).unwrap().bits(), 0x3f_ffff_ffff);
    }

    #[test]
    fn refuses_unknown_names() {
        let error = resolved(&["BOGUS"], &[]).unwrap_err();
        assert_eq!(error.to_string(), r#"invalid CapAdd: unknown capability: "CAP_BOGUS""#);
        let error = resolved(&[], &["cap_x"]).unwrap_err();
        assert_eq!(error.to_string(), r#"invalid CapDrop: unknown capability: "CAP_X""#);
        let names = vec!["BPF".to_owned()];
        assert!(resolve(&names, &[], false, 37).is_err(), "older kernel");
    }

    #[test]
    fn only_root_holds_capabilities() {
        let root = CapSets::for_user(CapSet::DOCKER_DEFAULT, 0);
        assert_eq!(root.effective, CapSet::DOCKER_DEFAULT);
        let user = CapSets::for_user(CapSet::DOCKER_DEFAULT, 1000);
        assert_eq!(user.bounding, CapSet::DOCKER_DEFAULT);
        assert_eq!((user.permitted, user.effective), (CapSet::EMPTY, CapSet::EMPTY));
    }

    #[test]
    fn the_table_is_in_kernel_order() {
        let names: Vec<&str> = CapSet::DOCKER_DEFAULT
            .to_oci()
            .iter()
            .map(|wanted| CAPABILITIES.iter().find(|(_, c)| c == wanted).unwrap().0)
            .collect();
        assert_eq!(names.len(), 14);
        for name in ["CAP_CHOWN", "CAP_SETFCAP", "CAP_AUDIT_WRITE", "CAP_MKNOD", "CAP_SYS_CHROOT"] {
            assert!(CapSet::DOCKER_DEFAULT.contains_name(name), "{name}");
        }
        assert!(CapSet::TO_FINISH.contains_name("CAP_SYS_ADMIN"));
        assert!(CapSet::TO_FINISH.contains_name("CAP_SETPCAP"));
        assert!(CapSet::TO_FINISH.contains_name("CAP_NET_ADMIN"));
        assert_eq!(CapSet::TO_FINISH.bits().count_ones(), 3);
    }
}
