//! Leave a thread nothing of the file system but what it names (landlock(7)).

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::error::{Context, SyscallError};

/// All rights that the first version of the kernel's interface knows: execute, write, read,
/// list, remove and make of every kind.
const ALL: u64 = (1 << 13) - 1;
const READ_FILE: u64 = 1 << 2;
const REMOVE_FILE: u64 = 1 << 5;
const PATH_BENEATH: libc::c_int = 1;

/// What stays allowed below a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// Open files for reading.
    Read,
    /// Remove files.
    Remove,
}

/// `struct landlock_ruleset_attr` of the first version.
#[repr(C)]
struct Ruleset {
    handled: u64,
}

/// `struct landlock_path_beneath_attr`.
#[repr(C, packed)]
struct PathBeneath {
    allowed: u64,
    parent: libc::c_int,
}

/// Takes the file system from the calling thread and those it starts, but for the rights below
/// these folders. A folder that cannot be opened is left out. Descriptors that are open stay
/// as they are.
///
/// Needs no-new-privileges. False where the kernel has no Landlock, and nothing is changed.
///
/// # Errors
/// What the kernel refuses otherwise.
pub fn restrict(allowed: &[(&Path, Right)]) -> Result<bool, SyscallError> {
    let ruleset = match create() {
        Err(error) if is_absent(&error) => return Ok(false),
        created => created.call(|| "landlock_create_ruleset()".into())?,
    };
    for (folder, right) in allowed {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let Ok(parent) = rustix::fs::open(*folder, flags, Mode::empty()) else { continue };
        add(ruleset.as_fd(), parent.as_fd(), *right)
            .call(|| format!("landlock_add_rule({}, {right:?})", folder.display()))?;
    }
    // SAFETY: takes a descriptor and flags, no memory.
    let rc = unsafe { libc::syscall(libc::SYS_landlock_restrict_self, ruleset.as_raw_fd(), 0) };
    result(rc).call(|| "landlock_restrict_self()".into())?;
    Ok(true)
}

fn create() -> io::Result<OwnedFd> {
    let rules = Ruleset { handled: ALL };
    // SAFETY: the kernel reads as many bytes at `rules` as it is told, for the call.
    let rc = unsafe {
        libc::syscall(libc::SYS_landlock_create_ruleset, &raw const rules, size_of::<Ruleset>(), 0)
    };
    let fd = libc::c_int::try_from(result(rc)?).map_err(io::Error::other)?;
    // SAFETY: a new descriptor that nobody else has; the kernel sets close-on-exec.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn add(ruleset: BorrowedFd<'_>, parent: BorrowedFd<'_>, right: Right) -> io::Result<()> {
    let allowed = match right {
        Right::Read => READ_FILE,
        Right::Remove => REMOVE_FILE,
    };
    let rule = PathBeneath { allowed, parent: parent.as_raw_fd() };
    // SAFETY: `rule` is laid out as the kernel's structure and alive for the call, as is the
    // descriptor in it.
    let rc = unsafe {
        libc::syscall(
            libc::SYS_landlock_add_rule,
            ruleset.as_raw_fd(),
            PATH_BENEATH,
            &raw const rule,
            0,
        )
    };
    result(rc).map(drop)
}

fn result(rc: libc::c_long) -> io::Result<libc::c_long> {
    if rc < 0 { Err(io::Error::last_os_error()) } else { Ok(rc) }
}

/// Not built in, not switched on, or hidden by a filter of whoever started us.
fn is_absent(error: &io::Error) -> bool {
    let absent = [Errno::NOSYS, Errno::OPNOTSUPP, Errno::PERM];
    error.raw_os_error().is_some_and(|raw| absent.contains(&Errno::from_raw_os_error(raw)))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn only_what_is_named_is_left() {
        let folder = std::env::temp_dir().join(format!("landlock-{}", std::process::id()));
        let (mine, other) = (folder.join("mine"), folder.join("other"));
        for dir in [&mine, &other] {
            fs::create_dir_all(dir).unwrap();
            fs::write(dir.join("file"), "text").unwrap();
        }
        // It is for a thread and for ever.
        let tried = std::thread::spawn(move || {
            rustix::thread::set_no_new_privs(true).unwrap();
            let open = fs::File::open(other.join("file")).unwrap();
            if !restrict(&[(&mine, Right::Read), (Path::new("/nowhere"), Right::Read)]).unwrap() {
                println!("skipped: this kernel has no Landlock");
                return;
            }
            assert_eq!(fs::read_to_string(mine.join("file")).unwrap(), "text");
            let denied = |result: io::Result<()>| {
                assert_eq!(result.unwrap_err().kind(), io::ErrorKind::PermissionDenied);
            };
            denied(fs::read(other.join("file")).map(drop));
            denied(fs::read_dir(&mine).map(drop));
            denied(fs::write(mine.join("file"), ""));
            denied(fs::remove_file(mine.join("file")));
            assert_eq!(io::read_to_string(open).unwrap(), "text", "open before");
        });
        let tried = tried.join();
        fs::remove_dir_all(folder).unwrap();
        tried.unwrap();
    }
}
