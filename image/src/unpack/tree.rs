//! Directories of the layer being written, resolved by the kernel beneath its root.
//!
//! Every directory is opened with `openat2(RESOLVE_IN_ROOT)`: a symlink of the archive
//! may lead anywhere in the layer, never out of it. Open directories are remembered,
//! since archives list the files of one directory together; whenever something is
//! replaced or removed the memory is cleared, for a remembered path may have led
//! through it.

use std::collections::HashMap;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::rc::Rc;

use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, ResolveFlags, Stat, mkdirat, openat2, statat, unlinkat,
};
use rustix::io::Errno;

use super::marks::{Mark, is_opaque, is_whiteout, set_opaque};
use crate::limits::DIR_CACHE_MAX;
use crate::tar::split;

type Result<T> = std::result::Result<T, Errno>;

/// Mode of directories the archive uses without listing them.
const IMPLIED_MODE: u32 = 0o755;

/// The layer's root and the directories used last.
pub(super) struct Tree {
    root: Rc<OwnedFd>,
    open: HashMap<Vec<u8>, Rc<OwnedFd>>,
    /// Some marks are by name.
    pub(super) marked_by_name: bool,
}

impl Tree {
    pub(super) fn new(root: &Path) -> std::io::Result<Self> {
        let root = Rc::new(OwnedFd::from(File::open(root)?));
        Ok(Self { root, open: HashMap::new(), marked_by_name: false })
    }

    pub(super) fn root(&self) -> BorrowedFd<'_> {
        self.root.as_fd()
    }

    /// The directory that a clean path lies in, created if need be, and the last component.
    pub(super) fn parent<'p>(&mut self, path: &'p [u8]) -> Result<(Rc<OwnedFd>, &'p [u8])> {
        let (dir, name) = split(path);
        Ok((self.make_dir(dir)?, name))
    }

    /// The directory that a clean path lies in, and the last component; creates nothing.
    pub(super) fn existing_parent<'p>(
        &mut self,
        path: &'p [u8],
    ) -> Result<(Rc<OwnedFd>, &'p [u8])> {
        let (dir, name) = split(path);
        Ok((self.dir(dir)?, name))
    }

    /// Opens a directory by its clean path.
    fn dir(&mut self, path: &[u8]) -> Result<Rc<OwnedFd>> {
        if path.is_empty() {
            return Ok(Rc::clone(&self.root));
        }
        if let Some(dir) = self.open.get(path) {
            return Ok(Rc::clone(dir));
        }
        let dir = Rc::new(open_in(self.root.as_fd(), path, OFlags::empty())?);
        self.remember(path, &dir);
        Ok(dir)
    }

    /// Opens a directory by its clean path, creating what is missing.
    fn make_dir(&mut self, path: &[u8]) -> Result<Rc<OwnedFd>> {
        match self.dir(path) {
            Err(Errno::NOENT | Errno::NOTDIR) => {}
            outcome => return outcome,
        }
        let mut at = Rc::clone(&self.root);
        let mut end = 0;
        for name in path.split(|b| *b == b'/') {
            end += name.len();
            at = match self.dir(&path[..end]) {
                Ok(dir) => dir,
                Err(Errno::NOENT | Errno::NOTDIR) => {
                    self.make_implied(&at, name)?;
                    self.dir(&path[..end])?
                }
                Err(errno) => return Err(errno),
            };
            end += 1;
        }
        Ok(at)
    }

    /// Creates a directory the archive did not list. In the place of a whiteout it hides
    /// what the whiteout hid.
    fn make_implied(&mut self, parent: &OwnedFd, name: &[u8]) -> Result<()> {
        let hides = self.take_whiteout(parent, name)?;
        match mkdirat(parent, name, Mode::from_raw_mode(IMPLIED_MODE)) {
            // A dangling symlink: what it leads to cannot be opened as a directory.
            Err(Errno::EXIST) => Err(Errno::NOTDIR),
            Err(errno) => Err(errno),
            Ok(()) => {
                let dir = open_final(parent, name)?;
                rustix::fs::fchmod(&dir, Mode::from_raw_mode(IMPLIED_MODE))?;
                if hides { self.set_opaque(&dir) } else { Ok(()) }
            }
        }
    }

    /// Hides what lower layers have in `dir`. Marks of single files in it say nothing more, and overlayfs would list
    /// them there as files.
    pub(super) fn set_opaque(&mut self, dir: &OwnedFd) -> Result<()> {
        for entry in rustix::fs::Dir::read_from(dir)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if !matches!(name, b"." | b"..") {
                self.take_whiteout(dir, name)?;
            }
        }
        let mark = set_opaque(dir)?;
        self.note(mark);
        Ok(())
    }

    /// Hides `name`, where nothing is in `parent`, in lower layers.
    pub(super) fn hide(&mut self, parent: &OwnedFd, name: &[u8]) -> Result<()> {
        if is_opaque(parent) {
            return Ok(());
        }
        let mark = super::marks::hide(parent, name)?;
        self.note(mark);
        Ok(())
    }

    fn note(&mut self, mark: Mark) {
        self.marked_by_name |= mark == Mark::ByName;
    }

    /// Removes a whiteout that this layer made; tells whether there was one.
    pub(super) fn take_whiteout(&mut self, parent: &OwnedFd, name: &[u8]) -> Result<bool> {
        match lstat(parent, name)? {
            Some(stat) if is_whiteout(&stat) => {
                unlinkat(parent, name, AtFlags::empty())?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Removes whatever is at `name`, with everything in it.
    pub(super) fn clear(&mut self, parent: &OwnedFd, name: &[u8]) -> std::io::Result<()> {
        self.open.clear();
        match unlinkat(parent, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => return Ok(()),
            Err(Errno::ISDIR) => {}
            Err(errno) => return Err(errno.into()),
        }
        let path = descriptor_path(parent, name);
        crate::remove_tree::remove_tree(&path)
    }

    pub(super) fn remember(&mut self, path: &[u8], dir: &Rc<OwnedFd>) {
        if self.open.len() >= DIR_CACHE_MAX {
            self.open.clear();
        }
        self.open.insert(path.to_vec(), Rc::clone(dir));
    }

    /// Opens a listed directory again, not following a symlink in its place.
    pub(super) fn reopen(&self, path: &[u8]) -> Result<OwnedFd> {
        open_in(self.root.as_fd(), path, OFlags::NOFOLLOW)
    }
}

fn open_in(root: BorrowedFd<'_>, path: &[u8], extra: OFlags) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | extra;
    loop {
        match openat2(root, path, flags, Mode::empty(), ResolveFlags::IN_ROOT) {
            // Something was renamed elsewhere meanwhile; the kernel asks to try again.
            Err(Errno::AGAIN | Errno::INTR) => {}
            outcome => return outcome,
        }
    }
}

/// Opens the directory `name` itself, never what a symlink there leads to.
pub(super) fn open_final(parent: &OwnedFd, name: &[u8]) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(parent, name, flags, Mode::empty())
}

/// A path to `name` through the open directory, for calls that take no descriptor.
pub(super) fn descriptor_path(parent: &OwnedFd, name: &[u8]) -> std::path::PathBuf {
    use std::os::fd::AsRawFd;
    use std::os::unix::ffi::OsStrExt;
    Path::new("/proc/self/fd")
        .join(parent.as_raw_fd().to_string())
        .join(std::ffi::OsStr::from_bytes(name))
}

/// What is at `name`, symlinks not followed.
pub(crate) fn lstat(parent: &OwnedFd, name: &[u8]) -> Result<Option<Stat>> {
    match statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(stat)),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(errno),
    }
}

pub(super) fn is_dir(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Directory
}
