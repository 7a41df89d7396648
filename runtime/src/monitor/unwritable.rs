//! Folders of the user's that the program cannot write because it is not root.

use rustix::fs::{FileType, Mode, Stat};

use crate::identity::is_root_outside;
use crate::model::{Container, ContainerMount, MountType};
use crate::start::users::User;

/// One line for each folder of the user's that is to be written, and cannot be: the user is
/// root in the container, and the program is somebody else.
pub(super) fn find(container: &Container, user: &User) -> Vec<String> {
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
