//! Copies what is selected into a root filesystem.
//!
//! # How it works
//!
//! The destination is resolved in the root once; below it no link is followed: a file takes the place of whatever is
//! there but a folder, a folder is merged with one and takes nothing else's place. Names of one file that are selected
//! together are one file again. Content shares its blocks where the file system can do that, or is copied by the kernel.

mod kinds;

use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, Stat, Timestamps, fchmod, fstat, futimens, mkdirat, openat,
    unlinkat,
};
use rustix::io::Errno;

use super::Result;
use super::archive::{is_archive, unpack};
use super::content::is_same;
use super::digest::{Stamp, Stamper};
use super::error::{FilesError, shown};
use super::owner::Owner;
use super::place::{
    Placement, cleaned, follow, kind_at, make_folders, open_child, set_owner, times,
};
use super::remove::remove_folder;
use super::resolve::{join, open_plain, split};
use super::select::{Root, RootKind, Selection};
use super::tree::Tree;
use super::walk::{Found, Visitor, walk};
use super::xattrs::Xattrs;

/// What was copied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Copied {
    pub files: u64,
    pub bytes: u64,
    /// Differs from that of [`Selection::digest`] when something changed since.
    pub stamp: Stamp,
}

impl Selection<'_> {
    /// Copies everything to its place below `root`.
    ///
    /// # Errors
    /// The destination does not take it, or something cannot be read or written.
    pub fn copy_into(&self, root: BorrowedFd<'_>, placement: &Placement) -> Result<Copied> {
        let mut copied = Copied::default();
        let mut stamper = Stamper::default();
        for one in &self.roots {
            let mut copier = Copier {
                root,
                tree: self.tree,
                placement,
                target: Vec::new(),
                folders: Vec::new(),
                links: HashMap::new(),
                xattrs: Xattrs::default(),
                stamper: &mut stamper,
                copied: &mut copied,
            };
            copier.root(self, one)?;
        }
        copied.stamp = stamper.finish();
        Ok(copied)
    }
}

struct Copier<'a> {
    root: BorrowedFd<'a>,
    tree: Option<&'a Tree>,
    placement: &'a Placement,
    /// Path of what the first of `folders` is, without links.
    target: Vec<u8>,
    folders: Vec<Folder>,
    /// Where files with several names went, by device and inode.
    links: HashMap<(u64, u64), Vec<u8>>,
    xattrs: Xattrs,
    stamper: &'a mut Stamper,
    copied: &'a mut Copied,
}

struct Folder {
    handle: OwnedFd,
    is_new: bool,
    /// What is made in it gets its group.
    gives_group: bool,
}

impl Folder {
    fn new(handle: OwnedFd, is_new: bool) -> rustix::io::Result<Self> {
        let gives_group = fstat(&handle)?.st_mode & 0o2000 != 0;
        Ok(Self { handle, is_new, gives_group })
    }
}

impl Copier<'_> {
    fn root(&mut self, selection: &Selection<'_>, one: &Root) -> Result<()> {
        if selection.unpacks && self.unpack(one)? {
            return Ok(());
        }
        let destination = &*cleaned(self.placement.destination.as_bytes());
        let (above, last) = split(destination);
        let is_folder = matches!(last, b"" | b".");
        // What the destination is in is made before anything is looked at.
        let above = follow(self.root, if is_folder { destination } else { above })?;
        make_folders(self.root, &above, self.placement)?;
        let mut target = follow(self.root, destination)?;
        let there = self.kind(&target)?;
        if let (RootKind::Folder(path), Some(tree)) = (&one.kind, self.tree) {
            return self.folder(selection, tree, path, target, there);
        }
        if there == Some(FileType::Directory) {
            if !target.is_empty() {
                target.push(b'/');
            }
            target.extend_from_slice(&one.name);
        }
        let (above, last) = split(&target);
        let (parent, _) = make_folders(self.root, above, self.placement)?;
        self.target = above.to_vec();
        self.folders.push(Folder::new(parent, false).map_err(FilesError::io("look at", above))?);
        let name = CString::new(last).unwrap_or_default();
        match (&one.kind, self.tree) {
            (RootKind::Content(content), _) => self.content(&name, content),
            (RootKind::Other(path), Some(tree)) => {
                let (folder, source) = split(path);
                let parent = tree.open(folder, OFlags::PATH | OFlags::DIRECTORY)?;
                let source = CString::new(source).unwrap_or_default();
                let handle = tree.open(path, OFlags::PATH)?;
                let stat = fstat(&handle).map_err(FilesError::io("look at", path))?;
                let found = Found { parent: parent.as_fd(), name: &source, path: b"", stat: &stat };
                self.copy(&found, &name)
            }
            _ => Ok(()),
        }
    }

    /// Unpacks a file that is an archive; whether it is one.
    fn unpack(&mut self, one: &Root) -> Result<bool> {
        let (RootKind::Other(path), Some(tree)) = (&one.kind, self.tree) else { return Ok(false) };
        let handle = tree.open(path, OFlags::PATH)?;
        let stat = fstat(&handle).map_err(FilesError::io("look at", path))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Ok(false);
        }
        let mut file = File::from(tree.open(path, OFlags::RDONLY | OFlags::NONBLOCK)?);
        if !is_archive(&file) {
            return Ok(false);
        }
        self.stamper.add(b"", &stat);
        unpack(&mut file, self.root, self.placement, self.copied)?;
        let after = fstat(&file).map_err(FilesError::io("look at", path))?;
        if !is_same(&stat, &after) {
            self.stamper.add(b"", &after);
        }
        Ok(true)
    }

    fn kind(&self, path: &[u8]) -> Result<Option<FileType>> {
        match open_plain(self.root, path, OFlags::PATH) {
            Ok(handle) => {
                let stat = fstat(&handle).map_err(FilesError::io("look at", path))?;
                Ok(Some(FileType::from_raw_mode(stat.st_mode)))
            }
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(FilesError::io("look at", path)(errno)),
        }
    }

    fn folder(
        &mut self,
        selection: &Selection<'_>,
        tree: &Tree,
        path: &[u8],
        target: Vec<u8>,
        there: Option<FileType>,
    ) -> Result<()> {
        if there.is_some_and(|kind| kind != FileType::Directory) {
            return Err(FilesError::FolderOverFile { path: shown(&target) });
        }
        let (handle, _) = make_folders(self.root, &target, self.placement)?;
        self.target = target;
        self.folders.push(Folder::new(handle, false).map_err(self.failed("look at", b""))?);
        walk(tree, path, &selection.choice, self)?;
        let source = tree.open(path, OFlags::PATH)?;
        let stat = fstat(&source).map_err(FilesError::io("look at", path))?;
        self.folders.pop().map_or(Ok(()), |folder| {
            futimens(&folder.handle, &self.times(&stat))
                .map_err(FilesError::io("set the time of", &self.target))
        })
    }

    /// The path in the root of what is at `path` below the target.
    fn full(&self, path: &[u8]) -> Vec<u8> {
        join(&self.target, path)
    }

    fn failed<'a, E: Into<io::Error>>(
        &self,
        doing: &'static str,
        path: &'a [u8],
    ) -> impl FnOnce(E) -> FilesError + use<'a, E> {
        let full = self.full(path);
        move |error| FilesError::io(doing, &full)(error)
    }

    fn parent(&self) -> Result<&Folder> {
        // There is one while anything is copied.
        self.folders.last().ok_or_else(|| FilesError::io("open", &self.target)(Errno::BADF))
    }

    fn owner(&self, stat: &Stat) -> Owner {
        match (self.placement.owner, self.tree) {
            (Some(owner), _) => owner,
            (None, Some(tree)) if !tree.is_context() => {
                Owner { uid: stat.st_uid, gid: stat.st_gid }
            }
            _ => Owner::default(),
        }
    }

    fn times(&self, stat: &Stat) -> Timestamps {
        match self.placement.time {
            Some(seconds) => times(seconds, 0),
            None => times(stat.st_mtime, stat.st_mtime_nsec),
        }
    }

    fn mode(&self, stat: &Stat, is_folder: bool) -> Mode {
        let mode = stat.st_mode & 0o7777;
        let change = self.placement.mode.as_ref();
        Mode::from_raw_mode(change.map_or(mode, |change| change.apply(mode, is_folder)))
    }

    /// Whether an owner that is written down in an attribute comes along.
    fn keeps_owner(&self) -> bool {
        self.placement.owner.is_none() && self.tree.is_some_and(|tree| !tree.is_context())
    }

    /// Makes room for something that is no folder.
    fn clear(&self, name: &CStr, path: &[u8]) -> Result<()> {
        let parent = self.parent()?.handle.as_fd();
        match unlinkat(parent, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(errno) => {
                let kind = kind_at(parent, name).map_err(self.failed("look at", path))?;
                if kind == Some(FileType::Directory) {
                    if self.placement.replaces {
                        return remove_folder(parent, name).map_err(self.failed("remove", path));
                    }
                    return Err(FilesError::FileOverFolder { path: shown(&self.full(path)) });
                }
                Err(self.failed("replace", path)(errno))
            }
        }
    }

    /// A new file.
    fn create(&self, name: &CStr, path: &[u8]) -> Result<File> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let parent = self.parent()?.handle.as_fd();
        let create = || openat(parent, name, flags, Mode::from_raw_mode(0o600));
        let file = match create() {
            Err(Errno::EXIST | Errno::ISDIR) => {
                self.clear(name, path)?;
                create()
            }
            file => file,
        };
        file.map(File::from).map_err(self.failed("create", path))
    }
}

impl Visitor for Copier<'_> {
    fn enter(&mut self, found: &Found<'_>, _: BorrowedFd<'_>, implied: bool) -> Result<()> {
        self.stamper.add(found.path, found.stat);
        let parent = self.parent()?.handle.as_fd();
        let mut is_new = match mkdirat(parent, found.name, Mode::from_raw_mode(0o700)) {
            Ok(()) => true,
            Err(Errno::EXIST) => false,
            Err(errno) => return Err(self.failed("create", found.path)(errno)),
        };
        let mut handle = open_child(parent, found.name);
        if self.placement.replaces && matches!(handle, Err(Errno::NOTDIR | Errno::LOOP)) {
            self.clear(found.name, found.path)?;
            mkdirat(parent, found.name, Mode::from_raw_mode(0o700))
                .map_err(self.failed("create", found.path))?;
            is_new = true;
            handle = open_child(parent, found.name);
        }
        let handle = match handle {
            Err(Errno::NOTDIR | Errno::LOOP) => {
                return Err(FilesError::FolderOverFile { path: shown(&self.full(found.path)) });
            }
            handle => handle.map_err(self.failed("open", found.path))?,
        };
        if implied && !is_new {
            fchmod(&handle, Mode::from_raw_mode(found.stat.st_mode & 0o7777))
                .map_err(self.failed("set the mode of", found.path))?;
        }
        let folder = Folder::new(handle, is_new).map_err(self.failed("look at", found.path))?;
        self.folders.push(folder);
        Ok(())
    }

    fn leave(&mut self, found: &Found<'_>, source: BorrowedFd<'_>, implied: bool) -> Result<()> {
        let Some(folder) = self.folders.pop() else { return Ok(()) };
        if implied && !folder.is_new {
            return Ok(());
        }
        let handle = folder.handle.as_fd();
        let owner = self.owner(found.stat);
        if owner != Owner::default() || !folder.is_new || folder.gives_group {
            set_owner(handle, owner, self.placement.one_id)
                .map_err(FilesError::owner(owner, &self.full(found.path)))?;
        }
        let keeps_owner = self.keeps_owner();
        let outcome = self.xattrs.copy(source, handle, keeps_owner);
        outcome.map_err(self.failed("set attributes of", found.path))?;
        fchmod(handle, self.mode(found.stat, true))
            .map_err(self.failed("set the mode of", found.path))?;
        futimens(handle, &self.times(found.stat))
            .map_err(self.failed("set the time of", found.path))
    }

    fn entry(&mut self, found: &Found<'_>) -> Result<()> {
        self.copy(found, found.name)
    }
}
