//! What a tmpfs takes over from the folder that it covers: its mode and its owner.
//!
//! # How it works
//!
//! The folder is looked up as the container will see it: in the mount that will be above it, or
//! in the root filesystem. The kernel resolves the path beneath that root, so that no link
//! leads elsewhere.
//!
//! # Limits
//!
//! Where a tmpfs lies in another tmpfs there is no folder yet.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags};

use crate::model::{Container, MountType};
use crate::spec::Covered;

/// The folders below the tmpfs mounts of `container`, by destination.
pub(crate) fn look(container: &Container, root: &Path) -> BTreeMap<String, Covered> {
    let typed = container.host_config.tmpfs.keys().map(String::as_str);
    let mounts = container.mounts.iter().map(|mount| &mount.point);
    let asked = mounts
        .filter(|point| point.kind == MountType::Tmpfs)
        .map(|point| point.destination.as_str());
    let folder = |path: &str| {
        let (root, inside) = place(container, root, path)?;
        let folder = find(&root, &inside)?;
        let stat = rustix::fs::fstat(&folder).ok()?;
        let (uid, gid) = match crate::start::launch_plan::mapped_ids() {
            // Everything is root's to the kernel: who has it is on record.
            1 => crate::one_id::recorded_owner(folder.as_fd()).unwrap_or((0, 0)),
            _ => (stat.st_uid, stat.st_gid),
        };
        let covered = Covered { mode: stat.st_mode & 0o7777, uid, gid };
        Some((path.to_owned(), covered))
    };
    typed.chain(asked).filter_map(folder).collect()
}

/// The folder on this host in which `path` of the container will be, and where in it.
fn place(container: &Container, root: &Path, path: &str) -> Option<(PathBuf, PathBuf)> {
    let path = Path::new(path);
    let above = container
        .mounts
        .iter()
        .filter(|mount| {
            let other = Path::new(&mount.point.destination);
            path.starts_with(other) && path != other
        })
        .max_by_key(|mount| Path::new(&mount.point.destination).components().count());
    let Some(above) = above else {
        return Some((root.to_owned(), path.strip_prefix("/").ok()?.to_owned()));
    };
    let inside = path.strip_prefix(&above.point.destination).ok()?;
    (above.point.kind != MountType::Tmpfs)
        .then(|| (PathBuf::from(&above.point.source), inside.to_owned()))
}

fn find(root: &Path, inside: &Path) -> Option<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = rustix::fs::openat(CWD, root, flags, Mode::empty()).ok()?;
    let beneath = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    rustix::fs::openat2(root, inside, flags, Mode::empty(), beneath).ok()
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use crate::model::{ContainerMount, MountPoint};
    use crate::start::covered::*;

    #[test]
    fn the_folder_is_looked_up_as_the_container_sees_it() {
        let temp = tempfile::tempdir().unwrap();
        let (root, volume) = (temp.path().join("root"), temp.path().join("volume"));
        for (folder, mode) in [
            (root.join("run/sshd"), 0o711),
            (root.join("data/t"), 0o700),
            (volume.join("t"), 0o750),
        ] {
            fs::create_dir_all(&folder).unwrap();
            fs::set_permissions(&folder, Permissions::from_mode(mode)).unwrap();
        }
        // A link of the image leads nowhere but into the image.
        std::os::unix::fs::symlink("/run", root.join("var-run")).unwrap();
        let mut container = Container::default();
        for path in ["/run/sshd", "/var-run/sshd", "/missing", "/data/t"] {
            container.host_config.tmpfs.insert(path.to_owned(), String::new());
        }
        container.mounts.push(ContainerMount {
            point: MountPoint {
                kind: MountType::Volume,
                source: volume.display().to_string(),
                destination: "/data".to_owned(),
                ..MountPoint::default()
            },
            ..ContainerMount::default()
        });
        let covered = look(&container, &root);
        let modes: Vec<_> =
            covered.iter().map(|(path, covered)| (path.as_str(), covered.mode)).collect();
        assert_eq!(modes, [("/data/t", 0o750), ("/run/sshd", 0o711), ("/var-run/sshd", 0o711)]);
    }
}
