//! Mounts that depend on none of the container's namespaces, made with few system calls before
//! libcontainer begins.
//!
//! # How it works
//!
//! libcontainer takes about 75 system calls for one mount, whatever it is; they were the largest
//! part of a start. [`take`] moves those out of the specification that need no such care: `/dev`
//! with the file systems of the kernel's below it, and the three files in `/etc`. The process
//! that runs libcontainer makes them in a mount namespace of its own ([`Early::make`]), and
//! libcontainer binds the root with all that is mounted in it. Nobody else sees them: `cp`,
//! `export` and `commit` look at the root as before.
//!
//! # Limits
//!
//! What has a link on its way, or options that are not known here, stays libcontainer's; so do
//! the files in `/etc` where anything of the user's is mounted, which may be above them.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use coracle_sys::SyscallError;
use coracle_sys::error::Context;
use oci_spec::runtime::{Mount, Spec};
use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags, fsconfig_create,
    fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen, move_mount, open_tree,
};

use crate::start::beneath::{self, Links, open_root};

const DEV: &str = "/dev";
/// Their folders are made in our `/dev`.
const BELOW_DEV: [&str; 2] = ["/dev/pts", "/dev/shm"];
const ETC: [&str; 3] = ["/etc/resolv.conf", "/etc/hostname", "/etc/hosts"];

/// Mounts that are made before libcontainer begins.
#[derive(Debug, Default)]
pub(crate) struct Early {
    root: PathBuf,
    /// In the order in which they are made.
    dev: Vec<Fresh>,
    etc: Vec<Bind>,
}

/// A new file system.
#[derive(Debug)]
struct Fresh {
    destination: PathBuf,
    kind: String,
    source: String,
    attributes: MountAttrFlags,
    /// Parameters of fsconfig(2): those with a value, and flags.
    parameters: Vec<(String, Option<String>)>,
}

/// A file of ours over one of the container.
#[derive(Debug)]
struct Bind {
    destination: String,
    source: PathBuf,
}

/// Takes from `spec` what can be made early in the root filesystem at `root`, which is mounted.
///
/// `alone` says that nothing of the user's is mounted.
pub(crate) fn take(spec: &mut Spec, root: &Path, alone: bool) -> Early {
    let mut early = Early { root: root.to_owned(), ..Early::default() };
    let linux = spec.linux().as_ref();
    let propagation = linux.and_then(|linux| linux.rootfs_propagation().as_deref());
    // Otherwise the host's mounts are to show up inside, and a namespace between cuts them off.
    if propagation == Some("private")
        && let Ok(root) = open_root(root)
        && let Some(mounts) = spec.mounts_mut()
    {
        mounts.retain(|mount| !early.takes(mount, &root, alone));
    }
    early
}

impl Early {
    fn takes(&mut self, mount: &Mount, root: &OwnedFd, alone: bool) -> bool {
        let destination = mount.destination().to_string_lossy();
        let place = if destination == DEV {
            open(root, DEV, OFlags::DIRECTORY).is_ok()
        } else {
            BELOW_DEV.contains(&destination.as_ref()) && !self.dev.is_empty()
        };
        if place && let Some(fresh) = Fresh::of(mount) {
            self.dev.push(fresh);
            return true;
        }
        if alone
            && ETC.contains(&destination.as_ref())
            && let Some(bind) = Bind::of(mount, root)
        {
            self.etc.push(bind);
            return true;
        }
        false
    }

    /// Makes the mounts in a mount namespace that this process has alone from now on.
    ///
    /// # Errors
    /// As `unshare(2)`, `fsopen(2)` and `move_mount(2)`.
    pub(crate) fn make(&self) -> Result<(), SyscallError> {
        if self.dev.is_empty() && self.etc.is_empty() {
            return Ok(());
        }
        coracle_sys::mount::leave_namespace()?;
        // Descriptors from before are of the other namespace's mounts.
        let root = &open_root(&self.root).call(|| format!("open({})", self.root.display()))?;
        for bind in &self.etc {
            bind.make(root)?;
        }
        let Some((dev, below)) = self.dev.split_first() else { return Ok(()) };
        let dev_mount = dev.mount()?;
        for fresh in below {
            let name = fresh.destination.file_name().unwrap_or_default();
            rustix::fs::mkdirat(&dev_mount, name, Mode::from_raw_mode(0o755))
                .call(|| format!("mkdir({})", fresh.destination.display()))?;
        }
        let place = open(root, DEV, OFlags::DIRECTORY).call(|| "open(/dev)".into())?;
        attach(dev_mount.as_fd(), place.as_fd(), &dev.destination)?;
        for fresh in below {
            let name = fresh.destination.file_name().unwrap_or_default();
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let place = rustix::fs::openat(&dev_mount, name, flags, Mode::empty())
                .call(|| format!("open({})", fresh.destination.display()))?;
            attach(fresh.mount()?.as_fd(), place.as_fd(), &fresh.destination)?;
        }
        Ok(())
    }
}

impl Fresh {
    fn of(mount: &Mount) -> Option<Self> {
        let kind = mount.typ().as_deref().filter(|kind| ["tmpfs", "devpts"].contains(kind))?;
        let mut fresh = Self {
            destination: mount.destination().clone(),
            kind: kind.to_owned(),
            source: mount.source().as_ref()?.to_str()?.to_owned(),
            attributes: MountAttrFlags::empty(),
            parameters: Vec::new(),
        };
        for option in mount.options().iter().flatten() {
            match option.as_str() {
                "nosuid" => fresh.attributes |= MountAttrFlags::MOUNT_ATTR_NOSUID,
                "nodev" => fresh.attributes |= MountAttrFlags::MOUNT_ATTR_NODEV,
                "noexec" => fresh.attributes |= MountAttrFlags::MOUNT_ATTR_NOEXEC,
                "strictatime" => fresh.attributes |= MountAttrFlags::MOUNT_ATTR_STRICTATIME,
                "newinstance" => fresh.parameters.push((option.clone(), None)),
                other => {
                    let (key, value) = other.split_once('=')?;
                    let known = ["mode", "size", "gid", "ptmxmode"].contains(&key);
                    known.then_some(())?;
                    fresh.parameters.push((key.to_owned(), Some(value.to_owned())));
                }
            }
        }
        Some(fresh)
    }

    /// The file system, mounted nowhere yet.
    fn mount(&self) -> Result<OwnedFd, SyscallError> {
        let failed =
            |call: &str| format!("{call}({} for {})", self.kind, self.destination.display());
        let context =
            fsopen(self.kind.as_str(), FsOpenFlags::FSOPEN_CLOEXEC).call(|| failed("fsopen"))?;
        let context = context.as_fd();
        let set = || -> io::Result<OwnedFd> {
            fsconfig_set_string(context, "source", self.source.as_str())?;
            for (key, value) in &self.parameters {
                match value {
                    Some(value) => fsconfig_set_string(context, key.as_str(), value.as_str())?,
                    None => fsconfig_set_flag(context, key.as_str())?,
                }
            }
            fsconfig_create(context)?;
            Ok(fsmount(context, FsMountFlags::FSMOUNT_CLOEXEC, self.attributes)?)
        };
        set().call(|| failed("fsmount"))
    }
}

impl Bind {
    fn of(mount: &Mount, root: &OwnedFd) -> Option<Self> {
        let options = mount.options().iter().flatten();
        let plain = options.map(String::as_str).all(|option| ["rbind", "rw"].contains(&option));
        (mount.typ().as_deref() == Some("bind") && plain).then_some(())?;
        let path = mount.destination().to_str()?;
        let place = match open(root, path, OFlags::empty()) {
            Err(Errno::NOENT) => make_file(root, path).ok()?,
            place => place.ok()?,
        };
        let kind = rustix::fs::FileType::from_raw_mode(rustix::fs::fstat(&place).ok()?.st_mode);
        kind.is_file().then_some(())?;
        Some(Self { destination: path.to_owned(), source: mount.source().clone()? })
    }

    fn make(&self, root: &OwnedFd) -> Result<(), SyscallError> {
        let place = open(root, &self.destination, OFlags::empty())
            .call(|| format!("open({})", self.destination))?;
        let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
        let tree = open_tree(CWD, &self.source, flags)
            .call(|| format!("open_tree({})", self.source.display()))?;
        attach(tree.as_fd(), place.as_fd(), Path::new(&self.destination))
    }
}

/// Makes an empty file where a mount is to be, in a folder that is there.
fn make_file(root: &OwnedFd, path: &str) -> Result<OwnedFd, Errno> {
    let (folder, name) = path.rsplit_once('/').ok_or(Errno::INVAL)?;
    let folder = open(root, folder, OFlags::DIRECTORY)?;
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(&folder, name, flags, Mode::from_raw_mode(0o644))?;
    open(root, path, OFlags::empty())
}

/// Opens a path of the container that has no link on its way.
fn open(root: &OwnedFd, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
    beneath::open(root, Path::new(path), flags, Links::Refused)
}

fn attach(mount: BorrowedFd<'_>, place: BorrowedFd<'_>, what: &Path) -> Result<(), SyscallError> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    move_mount(mount, "", place, "", flags).call(|| format!("move_mount({})", what.display()))
}

#[cfg(test)]
mod tests {
    use oci_spec::runtime::{LinuxBuilder, MountBuilder, SpecBuilder};

    use crate::start::early_mounts::*;

    fn mount(destination: &str, kind: &str, options: &[&str]) -> Mount {
        let options: Vec<String> = options.iter().map(|&option| option.to_owned()).collect();
        MountBuilder::default()
            .destination(destination)
            .typ(kind)
            .source("/source")
            .options(options)
            .build()
            .unwrap()
    }

    fn spec(propagation: Option<&str>) -> Spec {
        let mounts = vec![
            mount("/proc", "proc", &["nosuid"]),
            mount("/dev", "tmpfs", &["nosuid", "strictatime", "mode=755", "size=65536k"]),
            mount("/dev/pts", "devpts", &["newinstance", "ptmxmode=0666"]),
            mount("/dev/shm", "tmpfs", &["mode=1777", "size=1"]),
            mount("/dev/mqueue", "mqueue", &[]),
            mount("/etc/hosts", "bind", &["rbind", "rw"]),
            mount("/etc/hostname", "bind", &["rbind", "ro"]),
            mount("/data", "tmpfs", &[]),
        ];
        let mut linux = LinuxBuilder::default().build().unwrap();
        linux.set_rootfs_propagation(propagation.map(str::to_owned));
        SpecBuilder::default().mounts(mounts).linux(linux).build().unwrap()
    }

    fn left(spec: &Spec) -> Vec<&str> {
        let mounts = spec.mounts().as_ref().unwrap().iter();
        mounts.map(|mount| mount.destination().to_str().unwrap()).collect()
    }

    #[test]
    fn what_depends_on_no_namespace_is_taken() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("dev")).unwrap();
        std::fs::create_dir(root.path().join("etc")).unwrap();
        let mut alone = spec(Some("private"));
        let early = take(&mut alone, root.path(), true);
        assert_eq!(left(&alone), ["/proc", "/dev/mqueue", "/etc/hostname", "/data"]);
        assert_eq!((early.dev.len(), early.etc.len()), (3, 1));
        // The file was not there.
        assert!(root.path().join("etc/hosts").is_file());
        let mut beside = spec(Some("private"));
        take(&mut beside, root.path(), false);
        let names = ["/proc", "/dev/mqueue", "/etc/hosts", "/etc/hostname", "/data"];
        assert_eq!(left(&beside), names);
    }

    #[test]
    fn links_other_options_and_propagation_are_left_to_libcontainer() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("real")).unwrap();
        for name in ["dev", "etc"] {
            std::os::unix::fs::symlink("/real", root.path().join(name)).unwrap();
        }
        let all = left(&spec(None)).len();
        let mut linked = spec(Some("private"));
        take(&mut linked, root.path(), true);
        assert_eq!(left(&linked).len(), all);
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("dev")).unwrap();
        let mut following = spec(None);
        take(&mut following, root.path(), true);
        assert_eq!(left(&following).len(), all);
        assert!(Fresh::of(&mount("/dev", "tmpfs", &["huge=always"])).is_none());
        assert!(Fresh::of(&mount("/dev", "bind", &["rbind"])).is_none());
    }
}
