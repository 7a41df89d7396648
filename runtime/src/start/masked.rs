//! Paths of the kernel's that a container must not see, covered by the last code of ours inside.
//!
//! # How it works
//!
//! As libcontainer would: a file is covered by `/dev/null`, a folder by an empty file system that
//! is read-only, what is not there by nothing. libcontainer looks at `/proc` again for every path;
//! ten of them took a fiftieth of a start.

use std::path::PathBuf;

use oci_spec::runtime::Spec;
use rustix::fs::{CWD, FileType, Mode, OFlags, makedev};
use rustix::io::Errno;
use rustix::mount::{MountFlags, MoveMountFlags, OpenTreeFlags, mount, move_mount, open_tree};

/// Takes them from the specification: libcontainer has nothing to cover.
pub(crate) fn take(spec: &mut Spec) -> Vec<PathBuf> {
    let Some(linux) = spec.linux_mut() else { return Vec::new() };
    let paths = linux.masked_paths().clone().unwrap_or_default();
    linux.set_masked_paths(None);
    paths.into_iter().map(PathBuf::from).collect()
}

/// Covers them in the container that this process is in. It needs CAP_SYS_ADMIN there.
///
/// # Errors
/// In words, with the call.
pub(crate) fn cover(paths: &[PathBuf]) -> Result<(), String> {
    if paths.is_empty() {
        return Ok(());
    }
    // The image or a volume may have put something else there.
    let null = rustix::fs::open("/dev/null", OFlags::PATH | OFlags::CLOEXEC, Mode::empty())
        .map_err(|error| format!("open(/dev/null): {error}"))?;
    let stat = rustix::fs::fstat(&null).map_err(|error| format!("fstat(/dev/null): {error}"))?;
    let is_device = FileType::from_raw_mode(stat.st_mode).is_char_device();
    if !is_device || stat.st_rdev != makedev(1, 3) {
        return Err("/dev/null is not the null device".to_owned());
    }
    for path in paths {
        let covered = match rustix::fs::stat(path) {
            Err(Errno::NOENT | Errno::NOTDIR) => continue,
            Err(error) => Err(error),
            Ok(stat) if FileType::from_raw_mode(stat.st_mode).is_dir() => {
                // This process may be another user than root by now.
                mount("tmpfs", path, "tmpfs", MountFlags::RDONLY, c"uid=0,gid=0")
            }
            Ok(_) => {
                let flags = OpenTreeFlags::OPEN_TREE_CLONE
                    | OpenTreeFlags::OPEN_TREE_CLOEXEC
                    | OpenTreeFlags::AT_EMPTY_PATH;
                open_tree(&null, "", flags).and_then(|tree| {
                    move_mount(&tree, "", CWD, path, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)
                })
            }
        };
        covered.map_err(|error| format!("cannot cover {}: {error}", path.display()))?;
    }
    Ok(())
}
