//! Give up what the helper does not need, before the first packet.
//!
//! # How it works
//!
//! 1. *Capabilities*: only those over our own network namespaces stay: CAP_NET_ADMIN (devices,
//!    transparent sockets), CAP_NET_BIND_SERVICE (listening in the hub at whatever port a
//!    container asked for) and CAP_NET_RAW. None of them means anything on the host.
//! 2. *Files*: none are left (landlock(7), where the kernel has it), but for two: the host's
//!    `resolv.conf`, which changes as a laptop moves, can be read by the loop, which also
//!    removes its socket when it ends.
//! 3. *System calls*: a seccomp filter lets pass what the loop uses; all else fails with EPERM.
//!    Nothing can be executed, mounted, traced or joined. Files can be opened for reading only.
//!
//! Each thread does this for itself.

use std::path::Path;

use coracle_sys::SyscallError;
use coracle_sys::error::Context;
use coracle_sys::landlock::Right;
use coracle_sys::seccomp::Instruction;
use rustix::thread::CapabilitySet;
use rustix::thread::CapabilitySets;

/// Where the host keeps its `resolv.conf`, or what that is a link to.
const RESOLVERS: [&str; 5] =
    ["/etc", "/run/systemd/resolve", "/run/NetworkManager", "/run/resolvconf", "/run/connman"];

/// Isolates the loop, whose socket is in `folder`.
pub(crate) fn isolate_loop(folder: &Path) -> Result<(), SyscallError> {
    // Wherever else the link leads now.
    let now = Path::new("/etc/resolv.conf").read_link().ok();
    let now = now.map(|path| Path::new("/etc").join(path));
    let read = RESOLVERS.iter().map(Path::new).chain(now.as_deref().and_then(Path::parent));
    let mut files: Vec<_> = read.map(|folder| (folder, Right::Read)).collect();
    files.push((folder, Right::Remove));
    isolate(&files)
}

/// Isolates the calling thread, but for these rights below folders.
pub(crate) fn isolate(files: &[(&Path, Right)]) -> Result<(), SyscallError> {
    keep_capabilities()?;
    rustix::thread::set_no_new_privs(true).call(|| "prctl(PR_SET_NO_NEW_PRIVS)".into())?;
    coracle_sys::landlock::restrict(files)?;
    coracle_sys::seccomp::install(&filter())
}

/// What the loop and the thread in the hub use, the allocator and the clock included.
const ALLOWED: &[libc::c_long] = &[
    libc::SYS_accept4,
    libc::SYS_bind,
    libc::SYS_brk,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_close,
    libc::SYS_connect,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_epoll_pwait2,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_epoll_wait,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_fcntl,
    libc::SYS_flock,
    libc::SYS_fstat,
    libc::SYS_futex,
    libc::SYS_getpeername,
    libc::SYS_getrandom,
    libc::SYS_getsockname,
    libc::SYS_getsockopt,
    libc::SYS_gettid,
    libc::SYS_getpid,
    libc::SYS_listen,
    libc::SYS_lseek,
    libc::SYS_madvise,
    libc::SYS_mmap,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_newfstatat,
    libc::SYS_pipe2,
    libc::SYS_ppoll,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
    libc::SYS_prlimit64,
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_recvfrom,
    libc::SYS_recvmmsg,
    libc::SYS_recvmsg,
    libc::SYS_restart_syscall,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sched_yield,
    libc::SYS_sendmsg,
    libc::SYS_sendto,
    libc::SYS_setsockopt,
    libc::SYS_shutdown,
    libc::SYS_sigaltstack,
    libc::SYS_socket,
    libc::SYS_splice,
    libc::SYS_statx,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_unlink,
    libc::SYS_unlinkat,
    libc::SYS_write,
    libc::SYS_writev,
];

/// Allowed when none of these bits is set in the third argument: files are opened to be read.
const OPENING: &[libc::c_long] = &[
    libc::SYS_openat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_open,
];
const WRITING: i32 = libc::O_WRONLY | libc::O_RDWR | libc::O_CREAT | libc::O_TRUNC;

#[cfg(target_arch = "x86_64")]
const ARCH: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const ARCH: u32 = 0xc000_00b7;

/// Offsets into `struct seccomp_data` (seccomp(2)).
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const SECOND_ARGUMENT: u32 = 24;
const THIRD_ARGUMENT: u32 = 32;

const LOAD: u16 = 0x20;
const JUMP_EQUAL: u16 = 0x15;
const JUMP_BITS: u16 = 0x45;
const RETURN: u16 = 0x06;

const PASS: u32 = 0x7fff_0000;
const REFUSE: u32 = 0x0005_0000 | libc::EPERM as u32;

fn filter() -> Vec<Instruction> {
    let step = |code, jt, jf, k| Instruction { code, jt, jf, k };
    let number = |call: libc::c_long| u32::try_from(call).expect("numbers of calls are small");
    let mut out = vec![
        step(LOAD, 0, 0, ARCHITECTURE),
        step(JUMP_EQUAL, 1, 0, ARCH),
        step(RETURN, 0, 0, REFUSE),
        step(LOAD, 0, 0, NUMBER),
    ];
    for &call in ALLOWED {
        out.push(step(JUMP_EQUAL, 0, 1, number(call)));
        out.push(step(RETURN, 0, 0, PASS));
    }
    for &call in OPENING {
        let flags = if call == libc::SYS_openat { THIRD_ARGUMENT } else { SECOND_ARGUMENT };
        out.push(step(JUMP_EQUAL, 0, 4, number(call)));
        out.push(step(LOAD, 0, 0, flags));
        out.push(step(JUMP_BITS, 0, 1, u32::try_from(WRITING).expect("flags are positive")));
        out.push(step(RETURN, 0, 0, REFUSE));
        out.push(step(RETURN, 0, 0, PASS));
    }
    out.push(step(RETURN, 0, 0, REFUSE));
    out
}

fn keep_capabilities() -> Result<(), SyscallError> {
    let kept = CapabilitySet::NET_ADMIN | CapabilitySet::NET_BIND_SERVICE | CapabilitySet::NET_RAW;
    for capability in CapabilitySet::all().difference(kept).iter() {
        // The bounding set is of no use once nothing can be run; older kernels know fewer.
        rustix::thread::remove_capability_from_bounding_set(capability).ok();
    }
    let sets =
        CapabilitySets { effective: kept, permitted: kept, inheritable: CapabilitySet::empty() };
    rustix::thread::set_capabilities(None, sets).call(|| "capset()".into())
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::io::ErrorKind;

    use super::*;

    /// Runs in a thread of its own, which is isolated for ever; it has what a helper has when it
    /// is root of the user's namespaces.
    fn isolated(test: impl FnOnce(&Path) + Send + 'static) {
        crate::world::alone("netd::isolate::tests::nothing_is_left_but_the_network", || {
            std::thread::spawn(move || {
                let folder = tempfile::tempdir().unwrap();
                fs::write(folder.path().join("netd.sock"), "").unwrap();
                test(folder.path());
            })
            .join()
            .unwrap();
        });
    }

    #[test]
    fn nothing_is_left_but_the_network() {
        isolated(|folder| {
            isolate_loop(folder).unwrap();
            let sets = rustix::thread::capabilities(None).err();
            // Not even asked about: the filter knows no such call.
            assert_eq!(sets, Some(rustix::io::Errno::PERM));
            let denied = |what: std::io::Result<()>| {
                assert_eq!(what.unwrap_err().kind(), ErrorKind::PermissionDenied);
            };
            denied(File::create(folder.join("new")).map(drop));
            denied(fs::create_dir(folder.join("new")));
            denied(std::process::Command::new("/bin/true").status().map(drop));
            denied(coracle_sys::network::new_network().map_err(|error| error.source));
            if File::open("/proc/self/status").is_ok() {
                println!("skipped in part: this kernel has no Landlock");
            } else {
                denied(fs::read(folder.join("netd.sock")).map(drop));
                denied(fs::read("/usr/bin/env").map(drop));
            }
            fs::read("/etc/resolv.conf").unwrap();
            fs::remove_file(folder.join("netd.sock")).unwrap();
            rustix::net::socket(
                rustix::net::AddressFamily::INET,
                rustix::net::SocketType::STREAM,
                None,
            )
            .unwrap();
        });
    }
}
