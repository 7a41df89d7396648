//! Checks of bind mounts: those that libcontainer would refuse without saying which one, and
//! folders that the program cannot write because it is not root.

use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags, Stat};

use crate::model::{Container, ContainerMount, MountType};
use crate::payload::Failure;
use crate::users::User;

/// Refuses a folder on a file, and anything else on a folder, in the words of Docker.
///
/// A place that does not exist is made later, of the right kind. What lies below another
/// mount cannot be seen yet and is left to the kernel.
pub(super) fn check(container: &Container, root: &Path) -> Result<(), Failure> {
    for mount in &container.mounts {
        let (source, destination) = (&mount.point.source, &mount.point.destination);
        if mount.point.kind == MountType::Tmpfs || is_below_another(container, destination) {
            continue;
        }
        let (Some(from), Some(to)) = (is_folder(Path::new(source)), place(root, destination))
        else {
            continue;
        };
        if from != to {
            return Err(Failure::setup(format!(
                "failed to create task for container: error mounting \"{source}\" to rootfs at \
                 \"{destination}\": not a directory: Are you trying to mount a directory onto a \
                 file (or vice-versa)? Check if the specified host path exists and is the \
                 expected type"
            )));
        }
    }
    Ok(())
}

/// One line for each folder of the user's that is to be written, and cannot be: the user is
/// root in the container, and the program is somebody else.
pub(super) fn unwritable(container: &Container, user: &User) -> Vec<String> {
    if user.uid == 0 || is_root_outside() {
        return Vec::new();
    }
    let line = |mount: &ContainerMount| {
        let (source, place) = (&mount.point.source, &mount.point.destination);
        let wanted = mount.point.kind == MountType::Bind && mount.point.rw;
        let found = rustix::fs::stat(source.as_str()).ok().filter(|_| wanted)?;
        (found.st_uid == 0 && is_closed_to(user, &found) && !has_access_list(source)).then(|| {
            format!(
                "user {} of the container cannot write to {place}: {source} is yours, and you are \
                 root in there. Use `-u 0`, or give it away: `coracle unshare chown {}:{} {source}`",
                user.uid, user.uid, user.gid
            )
        })
    };
    container.mounts.iter().filter_map(line).collect()
}

fn is_closed_to(user: &User, folder: &Stat) -> bool {
    let in_group = user.gid == folder.st_gid || user.groups.contains(&folder.st_gid);
    let needed = if in_group { Mode::WGRP } else { Mode::WOTH };
    FileType::from_raw_mode(folder.st_mode) == FileType::Directory
        && !Mode::from_raw_mode(folder.st_mode).contains(needed)
}

fn has_access_list(path: &str) -> bool {
    rustix::fs::getxattr(path, "system.posix_acl_access", &mut [0u8; 0][..]).is_ok()
}

/// Whether root of the host started us: then ids are what they are everywhere.
fn is_root_outside() -> bool {
    let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    map.split_ascii_whitespace().take(2).eq(["0", "0"])
}

fn is_below_another(container: &Container, destination: &str) -> bool {
    let path = Path::new(destination);
    container.mounts.iter().any(|other| {
        let other = Path::new(&other.point.destination);
        other != path && path.starts_with(other)
    })
}

fn is_folder(path: &Path) -> Option<bool> {
    std::fs::metadata(path).ok().map(|data| data.is_dir())
}

/// Whether a path of the container is a folder; links in it lead nowhere else.
fn place(root: &Path, path: &str) -> Option<bool> {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let inside = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    let root = rustix::fs::openat(CWD, root, flags | OFlags::DIRECTORY, Mode::empty()).ok()?;
    let found = rustix::fs::openat2(root, path, flags, Mode::empty(), inside).ok()?;
    let stat = rustix::fs::fstat(found).ok()?;
    Some(FileType::from_raw_mode(stat.st_mode) == FileType::Directory)
}
