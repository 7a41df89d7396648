//! Mount an overlay of an image's layers.
//!
//! # How it works
//!
//! `fsopen(2)` and one `lowerdir+` per layer, which has no limit but the 500 layers of
//! overlayfs. Kernels before 6.5 get the classic `mount(2)` with names relative to the
//! folder of the layers, whose options must fit in one page.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use coracle_image::unpack::MARKED_BY_NAME;
use coracle_sys::SyscallError;
use coracle_sys::error::Context;
use rustix::fs::{CWD, StatVfsMountFlags, XattrFlags};
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, MountFlags, MoveMountFlags};

use super::Overlay;

/// What overlayfs is told.
struct Stack<'a> {
    /// Lowest first.
    layers: &'a [PathBuf],
    /// The folders it writes to; without them it is read-only.
    own: Option<(&'a Path, &'a Path)>,
    volatile: bool,
}

/// Mounts `layers`, lowest first and at least two, read-only on `target`.
///
/// # Errors
/// As [`Overlay::mount_overlay`].
pub(super) fn mount_layers(layers: &[PathBuf], target: &Path) -> Result<(), SyscallError> {
    Stack { layers, own: None, volatile: false }.mount(target)?;
    check_marks(layers, target)
}

impl Overlay {
    /// Mounts the overlay on `target`.
    ///
    /// # Errors
    /// EPERM where the kernel refuses overlayfs in a user namespace (before 5.11), EINVAL or
    /// EROFS where the file system of `upper` does not do.
    pub(super) fn mount_overlay(&self, target: &Path) -> Result<(), SyscallError> {
        self.check_attributes()?;
        if self.volatile {
            // A mark of an earlier mount that was not taken down would make this one fail.
            drop(std::fs::remove_dir_all(self.work.join("work/incompat")));
        }
        let own = Some((self.upper.as_path(), self.work.as_path()));
        Stack { layers: &self.layers, own, volatile: self.volatile }.mount(target)?;
        check_writable(target)?;
        check_marks(&self.layers, target)
    }

    /// overlayfs keeps removed directories in mind by attributes; without them it mounts all
    /// the same, and fails later.
    fn check_attributes(&self) -> Result<(), SyscallError> {
        const PROBE: &str = "user.coracle.probe";
        rustix::fs::setxattr(&self.upper, PROBE, b"", XattrFlags::empty())
            .and_then(|()| rustix::fs::removexattr(&self.upper, PROBE))
            .call(|| format!("setxattr({}, {PROBE})", self.upper.display()))
    }
}

impl Stack<'_> {
    fn mount(&self, target: &Path) -> Result<(), SyscallError> {
        match self.mount_new(target) {
            Err(error) if error.errno() == Some(rustix::io::Errno::INVAL.raw_os_error()) => {
                self.mount_classic(target)
            }
            result => result,
        }
    }

    fn mount_new(&self, target: &Path) -> Result<(), SyscallError> {
        let fs = rustix::mount::fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC)
            .call(|| "fsopen(overlay)".into())?;
        let set = |key: &str, value: &Path| {
            rustix::mount::fsconfig_set_string(fs.as_fd(), key, value)
                .call(|| format!("fsconfig(overlay, {key}={})", value.display()))
        };
        for layer in self.layers.iter().rev() {
            set("lowerdir+", layer)?;
        }
        if let Some((upper, work)) = self.own {
            set("upperdir", &escaped(upper, b"\\"))?;
            set("workdir", &escaped(work, b"\\"))?;
        }
        let flag = |key: &str| {
            rustix::mount::fsconfig_set_flag(fs.as_fd(), key)
                .call(|| format!("fsconfig(overlay, {key})"))
        };
        flag("userxattr")?;
        if self.volatile {
            flag("volatile")?;
        }
        rustix::mount::fsconfig_create(fs.as_fd())
            .call(|| format!("fsconfig(overlay for {}, CREATE)", target.display()))?;
        let mount = rustix::mount::fsmount(
            fs.as_fd(),
            FsMountFlags::FSMOUNT_CLOEXEC,
            MountAttrFlags::empty(),
        )
        .call(|| "fsmount(overlay)".into())?;
        rustix::mount::move_mount(
            mount.as_fd(),
            "",
            CWD,
            target,
            MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH,
        )
        .call(|| format!("move_mount(overlay, {})", target.display()))
    }

    /// The folder that paths of layers are short in: that of the top one. What is below may be
    /// another's, as the empty folder below a mounted image is.
    fn root(&self) -> Option<&Path> {
        layers_root(self.layers.last()?)
    }

    fn mount_classic(&self, target: &Path) -> Result<(), SyscallError> {
        let options = self.classic_options()?;
        let before = rustix::process::getcwd(Vec::new()).call(|| "getcwd()".into())?;
        if let Some(parent) = self.root() {
            rustix::process::chdir(parent).call(|| format!("chdir({})", parent.display()))?;
        }
        let mounted = rustix::mount::mount(
            "overlay",
            target,
            "overlay",
            MountFlags::empty(),
            Some(options.as_c_str()),
        )
        .call(|| format!("mount(overlay on {})", target.display()));
        rustix::process::chdir(before.as_c_str()).call(|| "chdir(back)".into())?;
        mounted
    }

    fn classic_options(&self) -> Result<std::ffi::CString, SyscallError> {
        /// What mount(2) takes: a page less the terminating NUL.
        const OPTION_BYTES_MAX: usize = 4095;
        let root = self.root();
        let short = |layer: &PathBuf| {
            let below = root.and_then(|root| layer.strip_prefix(root).ok());
            escaped(below.unwrap_or(layer), b"\\:,").display().to_string()
        };
        let lower: Vec<String> = self.layers.iter().rev().map(short).collect();
        let own = self.own.map(|(upper, work)| {
            let own = [upper, work].map(|path| escaped(path, b"\\,"));
            format!(",upperdir={},workdir={}", own[0].display(), own[1].display())
        });
        let options = format!(
            "lowerdir={}{},userxattr{}",
            lower.join(":"),
            own.unwrap_or_default(),
            if self.volatile { ",volatile" } else { "" }
        );
        if options.len() > OPTION_BYTES_MAX {
            return Err(io::Error::from(rustix::io::Errno::TOOBIG)).call(|| {
                format!("mount(overlay of {} layers) before Linux 6.5", self.layers.len())
            });
        }
        std::ffi::CString::new(options)
            .map_err(|_| io::Error::from(rustix::io::Errno::INVAL))
            .call(|| "mount(overlay): a path with a NUL".into())
    }
}

/// A path as the kernel takes it where a backslash escapes, which it does in the writable layer.
fn escaped(path: &Path, special: &[u8]) -> PathBuf {
    let bytes = path.as_os_str().as_bytes().iter();
    let escaped = bytes.flat_map(|byte| {
        let escape = special.contains(byte).then_some(b'\\');
        escape.into_iter().chain(Some(*byte))
    });
    std::ffi::OsString::from_vec(escaped.collect()).into()
}

/// Overlayfs would show what layers with marks by name remove.
fn check_marks(layers: &[PathBuf], target: &Path) -> Result<(), SyscallError> {
    let by_name = |layer: &&PathBuf| layer.with_file_name(MARKED_BY_NAME).exists();
    let Some(layer) = layers.iter().find(by_name) else { return Ok(()) };
    super::unmount(target)?;
    Err(io::Error::from(rustix::io::Errno::NOTSUP))
        .call(|| format!("mount(overlay of {}, whose marks it cannot read)", layer.display()))
}

/// The folder that holds all layers, of `…/layers/DIGEST/diff`.
fn layers_root(layer: &Path) -> Option<&Path> {
    layer.parent()?.parent()
}

/// Where overlayfs cannot write it mounts read-only, without a word.
fn check_writable(target: &Path) -> Result<(), SyscallError> {
    let mounted = rustix::fs::statvfs(target).call(|| format!("statvfs({})", target.display()))?;
    if mounted.f_flag.contains(StatVfsMountFlags::RDONLY) {
        super::unmount(target)?;
        return Err(io::Error::from(rustix::io::Errno::ROFS))
            .call(|| format!("mount(overlay on {})", target.display()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As kernels before 6.5 take it; there the paths of layers are short.
    #[test]
    fn an_empty_folder_elsewhere_is_named_whole() {
        let layers = ["/d:1/containers/ab/images/0/empty", "/d:1/layers/cd/diff"];
        let layers = layers.map(PathBuf::from);
        let image = Stack { layers: &layers, own: None, volatile: false };
        assert_eq!(image.root(), Some(Path::new("/d:1/layers")));
        let options = image.classic_options().unwrap();
        let wanted = c"lowerdir=cd/diff:/d\\:1/containers/ab/images/0/empty,userxattr";
        assert_eq!(options.as_c_str(), wanted);
        let own = Some((Path::new("/d/u,1"), Path::new("/d/w")));
        let root = Stack { layers: &layers[1..], own, volatile: true };
        let options = root.classic_options().unwrap();
        let wanted = c"lowerdir=cd/diff,upperdir=/d/u\\,1,workdir=/d/w,userxattr,volatile";
        assert_eq!(options.as_c_str(), wanted);
    }
}
