//! Checks of bind mounts that libcontainer would refuse without saying which one.

use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags};

use crate::model::{Container, MountType};
use crate::payload::Failure;

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
