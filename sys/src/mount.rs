//! Mount calls that rustix does not wrap.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use crate::error::{Context, SyscallError};

/// Makes a mount (`recursive`: and all below it) read-only by `mount_setattr(2)`.
///
/// # Errors
/// ENOSYS before Linux 5.12; EPERM without rights over the mount.
pub fn set_readonly(mount: BorrowedFd<'_>, recursive: bool) -> Result<(), SyscallError> {
    let attr = libc::mount_attr {
        attr_set: libc::MOUNT_ATTR_RDONLY,
        attr_clr: 0,
        propagation: 0,
        userns_fd: 0,
    };
    let flags = libc::AT_EMPTY_PATH | if recursive { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: `mount` is open for the borrow, the path is the empty string, and the
    // kernel reads exactly `size_of::<mount_attr>()` bytes of `attr`.
    let rc = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_raw_fd(),
            c"".as_ptr(),
            flags,
            &raw const attr,
            size_of::<libc::mount_attr>(),
        )
    };
    if rc < 0 {
        return Err(io::Error::last_os_error()).call(|| "mount_setattr(RDONLY)".to_owned());
    }
    Ok(())
}

/// Gives the calling thread a mount namespace of its own: what it mounts from now on nobody
/// else sees, and it is gone when the thread and its children are.
///
/// # Errors
/// EPERM without CAP_SYS_ADMIN in the user namespace that owns the present one.
pub fn leave_namespace() -> Result<(), SyscallError> {
    use rustix::mount::MountPropagationFlags;
    // SAFETY: the flag touches neither the descriptor table nor the address space.
    unsafe { rustix::thread::unshare_unsafe(rustix::thread::UnshareFlags::NEWNS) }
        .call(|| "unshare(CLONE_NEWNS)".into())?;
    rustix::mount::mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)
        .call(|| "mount(/, MS_PRIVATE|MS_REC)".into())
}

/// Gives the calling thread a cgroup namespace of its own, which owns what it mounts as
/// `cgroup2` from now on (cgroup_namespaces(7)).
///
/// # Errors
/// EPERM without CAP_SYS_ADMIN in the user namespace; EINVAL in a kernel without cgroups.
pub fn leave_cgroup_namespace() -> Result<(), SyscallError> {
    // SAFETY: the flag touches neither the descriptor table nor the address space.
    unsafe { rustix::thread::unshare_unsafe(rustix::thread::UnshareFlags::NEWCGROUP) }
        .call(|| "unshare(CLONE_NEWCGROUP)".into())
}
