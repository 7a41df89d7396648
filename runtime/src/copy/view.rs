//! A container's files as it sees them, whether it runs or not.
//!
//! # How it works
//!
//! The calling thread takes a mount namespace of its own. There the container's overlay is
//! found mounted, or is mounted, and its volumes, binds and `/etc` files are put on top.
//! Nobody else sees that, and it ends with the process: a copy that is killed leaves
//! nothing behind.
//!
//! As with Docker `/proc`, `/sys`, `/dev` and what is in memory are not there: they belong
//! to the running processes.
//!
//! # Limits
//!
//! The thread stays in that namespace: a process that looked does nothing else afterwards.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, Stat, StatxFlags, fstat, mkdirat, openat2,
    statx,
};
use rustix::io::Errno;
use rustix::mount::{MoveMountFlags, OpenTreeFlags};

use super::CopyError;
use crate::error::EngineError;
use crate::model::{Container, ContainerMount, MountType};
use crate::paths::{Paths, make_private};
use crate::rootfs::Overlay;
use crate::volumes::{Volumes, copy_up};

/// What may be mounted on top of the root filesystem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// The root filesystem alone.
    Root,
    /// Volumes, binds and the files in `/etc` too.
    Everything,
}

/// Whose files they are, and where those are.
#[derive(Clone, Copy)]
pub(crate) struct Whose<'a> {
    pub(crate) container: &'a Container,
    pub(crate) paths: &'a Paths,
    /// Where the layers of images are.
    pub(crate) layers: &'a Path,
    /// It never ran: nobody has made its working directory.
    pub(crate) is_new: bool,
}

/// A container's files, open.
pub(crate) struct View {
    root: OwnedFd,
    pub(crate) path: PathBuf,
}

impl View {
    /// Makes the files of a container visible to this thread.
    pub(crate) fn open(whose: Whose<'_>, extent: Extent) -> Result<Self, EngineError> {
        let Whose { container, paths, layers, is_new } = whose;
        coracle_sys::mount::leave_namespace()
            .map_err(EngineError::syscall("take a mount namespace"))?;
        let merged = paths.merged(&container.id);
        let path = if is_mount_point(&merged) {
            merged
        } else {
            let place = paths.container(&container.id).join("view");
            make_private(&place)?;
            Overlay::of(paths, layers, container)
                .mount(&place)
                .map_err(EngineError::syscall("mount the root filesystem"))?;
            place
        };
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = rustix::fs::open(&path, flags, Mode::empty())
            .map_err(|errno| EngineError::io("open the root filesystem")(errno.into()))?;
        if is_new {
            // What is in the way is told when the container is started.
            crate::start::working_dir::make(&path, Path::new(&container.config.working_dir)).ok();
        }
        let view = Self { root, path };
        if extent == Extent::Everything {
            view.mount_all(whose)?;
        }
        Ok(view)
    }

    /// A directory that stands for a container's root.
    #[cfg(test)]
    pub(super) fn of_directory(path: &Path) -> Self {
        let root = std::fs::File::open(path).unwrap().into();
        Self { root, path: path.to_owned() }
    }

    pub(crate) fn root(&self) -> BorrowedFd<'_> {
        self.root.as_fd()
    }

    /// Opens a path of the container; `flags` beside O_PATH decide about a last symlink.
    pub(super) fn find(&self, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
        let flags = OFlags::PATH | OFlags::CLOEXEC | flags;
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        loop {
            match openat2(&self.root, path, flags, Mode::empty(), resolve) {
                // Something was renamed elsewhere meanwhile; the kernel asks to try again.
                Err(Errno::AGAIN | Errno::INTR) => {}
                outcome => return outcome,
            }
        }
    }

    /// What is at a path; a last symlink is not followed.
    pub(super) fn lstat(&self, path: &str) -> Result<Stat, Errno> {
        self.find(path, OFlags::NOFOLLOW).and_then(|fd| fstat(&fd))
    }

    /// What is in a folder of the container, and whether each leads to a folder.
    pub(crate) fn names_in(&self, path: &str) -> Result<Vec<(String, bool)>, Errno> {
        let folder = self.find(path, OFlags::DIRECTORY)?;
        let folder = openat2(
            &folder,
            ".",
            OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
            ResolveFlags::BENEATH,
        )?;
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::read_from(&folder)?.flatten() {
            let Ok(name) = entry.file_name().to_str() else { continue };
            if name != "." && name != ".." {
                let leads = self.find(&format!("{path}/{name}"), OFlags::DIRECTORY).is_ok();
                names.push((name.to_owned(), leads));
            }
        }
        Ok(names)
    }

    fn mount_all(&self, whose: Whose<'_>) -> Result<(), EngineError> {
        let Whose { container, paths, layers, .. } = whose;
        let failed = |doing: String| {
            let id = container.id.clone();
            move |source| EngineError::Copy(CopyError::View { id, doing, source })
        };
        let mut mounts: Vec<(usize, &ContainerMount)> =
            container.mounts.iter().enumerate().collect();
        mounts.sort_by_key(|(_, mount)| Path::new(&mount.point.destination).components().count());
        for (number, mount) in mounts {
            let destination = &mount.point.destination;
            let found = match mount.point.kind {
                MountType::Image => {
                    Some((crate::image_mounts::view(paths, layers, container, number)?, false))
                }
                _ => self.source(paths, mount)?,
            };
            let Some((source, rw)) = found else { continue };
            self.mount(&source, destination, !rw, true)
                .map_err(failed(format!("mount {} on {destination}", mount.point.source)))?;
        }
        let folder = paths.container(&container.id);
        for name in ["hosts", "hostname", "resolv.conf"] {
            let destination = format!("/etc/{name}");
            if container.mounts.iter().any(|mount| mount.point.destination == destination) {
                continue;
            }
            if let Ok(source) = open_path(&folder.join(name)) {
                self.mount(&source, &destination, false, false)
                    .map_err(failed(format!("mount {destination}")))?;
            }
        }
        Ok(())
    }

    /// The content of a mount and whether it may be written; `None` for memory and for what
    /// is not there.
    fn source(
        &self,
        paths: &Paths,
        mount: &ContainerMount,
    ) -> Result<Option<(OwnedFd, bool)>, EngineError> {
        let point = &mount.point;
        let found = match point.kind {
            MountType::Bind => {
                open_path(Path::new(&point.source)).ok().map(|source| (source, point.rw))
            }
            MountType::Volume => {
                let volumes = Volumes::new(paths.volumes());
                let Ok(volume) = volumes.get(&point.name) else { return Ok(None) };
                // Mounted for us alone, if at all: it need not be held.
                let (attached, _hold) = volumes.attach(&volume.name)?;
                if mount.copy_up {
                    let destination = Path::new(&point.destination);
                    copy_up(&volume, &attached.path, &self.path, destination)?;
                }
                let source = if mount.subpath.is_empty() {
                    open_path(&attached.path).map_err(|errno| {
                        EngineError::io(format!("open volume {}", volume.name))(errno.into())
                    })?
                } else {
                    volume.subpath(Path::new(&mount.subpath))?
                };
                Some((source, point.rw && !attached.read_only))
            }
            _ => None,
        };
        Ok(found)
    }

    fn mount(
        &self,
        source: &OwnedFd,
        destination: &str,
        readonly: bool,
        create: bool,
    ) -> io::Result<()> {
        let place = match self.find(destination, OFlags::empty()) {
            Err(Errno::NOENT) if create => {
                let kind = FileType::from_raw_mode(fstat(source)?.st_mode);
                self.make_place(destination, kind == FileType::Directory)?
            }
            Err(Errno::NOENT) => return Ok(()),
            outcome => outcome?,
        };
        let flags = OpenTreeFlags::OPEN_TREE_CLONE
            | OpenTreeFlags::OPEN_TREE_CLOEXEC
            | OpenTreeFlags::AT_EMPTY_PATH
            | OpenTreeFlags::AT_RECURSIVE;
        let tree = rustix::mount::open_tree(source, "", flags)?;
        if readonly {
            coracle_sys::mount::set_readonly(tree.as_fd(), true).map_err(io::Error::other)?;
        }
        let flags =
            MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
        Ok(rustix::mount::move_mount(tree.as_fd(), "", place.as_fd(), "", flags)?)
    }

    /// A container that never ran has no places for its mounts yet.
    fn make_place(&self, destination: &str, directory: bool) -> io::Result<OwnedFd> {
        let mut at = self.find("/", OFlags::DIRECTORY)?;
        let mut path = String::new();
        let parts: Vec<&str> = destination.split('/').filter(|part| !part.is_empty()).collect();
        for (index, part) in parts.iter().enumerate() {
            path = format!("{path}/{part}");
            at = match self.find(&path, OFlags::empty()) {
                Err(Errno::NOENT) => {
                    if directory || index + 1 < parts.len() {
                        mkdirat(&at, *part, Mode::from_raw_mode(0o755))?;
                    } else {
                        let flags =
                            OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
                        rustix::fs::openat(&at, *part, flags, Mode::from_raw_mode(0o644))?;
                    }
                    self.find(&path, OFlags::empty())?
                }
                outcome => outcome?,
            };
        }
        Ok(at)
    }
}

fn open_path(path: &Path) -> Result<OwnedFd, Errno> {
    rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())
}

fn is_mount_point(path: &Path) -> bool {
    let mount = |path: &Path| {
        statx(CWD, path, AtFlags::empty(), StatxFlags::MNT_ID).map(|stat| stat.stx_mnt_id)
    };
    match (mount(path), mount(&path.join(".."))) {
        (Ok(own), Ok(parent)) => own != parent,
        _ => false,
    }
}
