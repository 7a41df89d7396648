//! System-call interfaces of a machine, and the numbers names have there.
//!
//! The build script uses this file too: it turns the default profile's names into
//! numbers, so that starting a container looks up none.

use std::str::FromStr;

/// One way to enter the kernel; a 64-bit machine has several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Abi {
    X86_64,
    X32,
    X86,
    Aarch64,
    Arm,
}

/// Marks the numbers of x32, which shares its audit architecture with x86_64.
pub(crate) const X32_BIT: u32 = 0x4000_0000;

/// The first of arm's private calls; far above the table, which ends below 1000.
pub(crate) const ARM_PRIVATE: u32 = 0x0f_0000;

/// Calls of x32 that have numbers of their own.
const X32_NUMBERS: [&str; 36] = [
    "rt_sigaction",
    "rt_sigreturn",
    "ioctl",
    "readv",
    "writev",
    "recvfrom",
    "sendmsg",
    "recvmsg",
    "execve",
    "ptrace",
    "rt_sigpending",
    "rt_sigtimedwait",
    "rt_sigqueueinfo",
    "sigaltstack",
    "timer_create",
    "mq_notify",
    "kexec_load",
    "waitid",
    "set_robust_list",
    "get_robust_list",
    "vmsplice",
    "move_pages",
    "preadv",
    "pwritev",
    "rt_tgsigqueueinfo",
    "recvmmsg",
    "sendmmsg",
    "process_vm_readv",
    "process_vm_writev",
    "setsockopt",
    "getsockopt",
    "io_setup",
    "io_submit",
    "execveat",
    "preadv2",
    "pwritev2",
];

/// The number of the first of [`X32_NUMBERS`].
const X32_FIRST: u32 = 512;

/// Calls of x86_64 that x32 does not have.
const NOT_IN_X32: [&str; 11] = [
    "uselib",
    "_sysctl",
    "create_module",
    "get_kernel_syms",
    "query_module",
    "nfsservctl",
    "set_thread_area",
    "get_thread_area",
    "epoll_ctl_old",
    "epoll_wait_old",
    "vserver",
];

impl Abi {
    pub(crate) const ALL: [Self; 5] =
        [Self::X86_64, Self::X32, Self::X86, Self::Aarch64, Self::Arm];

    /// The position in [`Abi::ALL`].
    pub(crate) fn index(self) -> usize {
        match self {
            Self::X86_64 => 0,
            Self::X32 => 1,
            Self::X86 => 2,
            Self::Aarch64 => 3,
            Self::Arm => 4,
        }
    }

    /// The name in profiles.
    pub(crate) fn scmp_name(self) -> &'static str {
        match self {
            Self::X86_64 => "SCMP_ARCH_X86_64",
            Self::X32 => "SCMP_ARCH_X32",
            Self::X86 => "SCMP_ARCH_X86",
            Self::Aarch64 => "SCMP_ARCH_AARCH64",
            Self::Arm => "SCMP_ARCH_ARM",
        }
    }

    /// The audit architecture (`AUDIT_ARCH_…`) the kernel tells a filter.
    pub(crate) fn audit_arch(self) -> u32 {
        match self {
            Self::X86_64 | Self::X32 => 0xc000_003e,
            Self::X86 => 0x4000_0003,
            Self::Aarch64 => 0xc000_00b7,
            Self::Arm => 0x4000_0028,
        }
    }

    /// The number of the call `name`; `None` where there is no such call.
    pub(crate) fn number(self, name: &str) -> Option<u32> {
        match self {
            Self::X86_64 => table(syscalls::x86_64::Sysno::from_str(name), |call| call.id()),
            Self::X32 => x32(name),
            Self::X86 => table(syscalls::x86::Sysno::from_str(name), |call| call.id()),
            Self::Aarch64 => {
                // The table names this call as the kernel's source does, profiles as its headers.
                let name = if name == "newfstatat" { "fstatat" } else { name };
                table(syscalls::aarch64::Sysno::from_str(name), |call| call.id())
            }
            Self::Arm => arm(name),
        }
    }
}

fn table<T>(found: Result<T, ()>, id: fn(&T) -> i32) -> Option<u32> {
    u32::try_from(id(&found.ok()?)).ok()
}

fn x32(name: &str) -> Option<u32> {
    if let Some(own) = X32_NUMBERS.iter().position(|&known| known == name) {
        return Some(X32_BIT | (X32_FIRST + u32::try_from(own).ok()?));
    }
    if NOT_IN_X32.contains(&name) {
        return None;
    }
    Some(X32_BIT | Abi::X86_64.number(name)?)
}

fn arm(name: &str) -> Option<u32> {
    match name {
        "breakpoint" => Some(ARM_PRIVATE + 1),
        "cacheflush" => Some(ARM_PRIVATE + 2),
        "usr26" => Some(ARM_PRIVATE + 3),
        "usr32" => Some(ARM_PRIVATE + 4),
        "set_tls" => Some(ARM_PRIVATE + 5),
        _ => table(syscalls::arm::Sysno::from_str(name), |call| call.id()),
    }
}
