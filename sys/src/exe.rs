//! Our own executable, reachable only read-only.
//!
//! A container may point its entry point (or a `#!` line) at `/proc/self/exe` and so
//! make the kernel run the very file that started it; through `/proc/PID/exe` it could
//! then write to that file, which belongs to the user who is root inside. Whatever
//! process of ours joins a container therefore runs from a detached read-only bind
//! mount of the executable: opening it for writing gives EROFS whoever asks.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{CWD, MemfdFlags, SealFlags, StatVfsMountFlags};
use rustix::mount::OpenTreeFlags;

use crate::error::{Context, SyscallError};
use crate::mount::set_readonly;

/// Opens this executable so that no process started from it can lead to a writable one.
///
/// What was started so itself has it at hand. Else, first choice is a detached read-only bind
/// mount (needs a mount namespace of our own); otherwise a sealed copy in memory, which costs
/// ten milliseconds.
///
/// # Errors
/// When neither can be made.
pub fn open_sealed() -> Result<OwnedFd, SyscallError> {
    let path = std::fs::read_link("/proc/self/exe").call(|| "readlink(/proc/self/exe)".into())?;
    if let Some(own) = own_if_sealed(&path) {
        return Ok(own);
    }
    match readonly_mount(&path) {
        Ok(fd) => Ok(fd),
        Err(_) => sealed_copy(),
    }
}

/// This process's executable, when it runs from one of the two: `path` is its name then.
///
/// A detached mount is the root of a tree of its own, so the name of the one file in it is `/`;
/// nobody can mount it anew with other flags, as it is in no namespace.
fn own_if_sealed(path: &Path) -> Option<OwnedFd> {
    let own: OwnedFd = File::open("/proc/self/exe").ok()?.into();
    let sealed = || rustix::fs::fcntl_get_seals(&own).is_ok_and(|it| it.contains(SealFlags::WRITE));
    let read_only = || {
        let flags = rustix::fs::fstatvfs(&own).map(|it| it.f_flag);
        flags.is_ok_and(|flags| flags.contains(StatVfsMountFlags::RDONLY))
    };
    (path == Path::new("/") && read_only() || sealed()).then_some(own)
}

fn readonly_mount(path: &Path) -> Result<OwnedFd, SyscallError> {
    let tree = rustix::mount::open_tree(
        CWD,
        path,
        OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC,
    )
    .call(|| format!("open_tree({}, CLONE)", path.display()))?;
    set_readonly(tree.as_fd(), false)?;
    let ours = rustix::fs::stat("/proc/self/exe").call(|| "stat(/proc/self/exe)".into())?;
    let there = rustix::fs::fstat(&tree).call(|| "fstat(mount of the executable)".into())?;
    if (ours.st_dev, ours.st_ino) != (there.st_dev, there.st_ino) {
        return Err(io::Error::from(rustix::io::Errno::STALE))
            .call(|| format!("{} is no longer this executable", path.display()));
    }
    Ok(tree)
}

fn sealed_copy() -> Result<OwnedFd, SyscallError> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    // Where files in memory are not executable unless asked for; before Linux 6.3 nobody asks.
    let memory = rustix::fs::memfd_create("coracle", flags | MemfdFlags::EXEC)
        .or_else(|_| rustix::fs::memfd_create("coracle", flags))
        .call(|| "memfd_create(coracle)".into())?;
    let mut from = File::open("/proc/self/exe").call(|| "open(/proc/self/exe)".into())?;
    let mut to = File::from(memory);
    io::copy(&mut from, &mut to).call(|| "copy the executable into memory".into())?;
    rustix::fs::fcntl_add_seals(
        &to,
        SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE,
    )
    .call(|| "fcntl(F_ADD_SEALS)".into())?;
    Ok(to.into())
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::FileExt;

    use super::*;

    #[test]
    fn nobody_can_write_to_the_copy() {
        let copy = sealed_copy().unwrap();
        let path = format!("/proc/self/fd/{}", copy.as_raw_fd());
        let writable = File::options().write(true).open(path).unwrap();
        let refused = Some(rustix::io::Errno::PERM.raw_os_error());
        assert_eq!(writable.write_at(b"x", 0).unwrap_err().raw_os_error(), refused);
        assert_eq!(writable.set_len(0).unwrap_err().raw_os_error(), refused);
        let ours = std::fs::metadata("/proc/self/exe").unwrap().len();
        assert_eq!(writable.metadata().unwrap().len(), ours);
    }
}
