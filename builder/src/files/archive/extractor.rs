//! One entry of an archive after the other.

use std::ffi::{CStr, CString};
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::rc::Rc;

use coracle_image::tar::{Entry, EntryKind, Reader, clean};
use coracle_image::unpack::write_content;
use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, XattrFlags, chmodat, fchmod, fsetxattr, futimens, linkat,
    mkdirat, mknodat, openat, symlinkat, unlinkat, utimensat,
};
use rustix::io::Errno;
use rustix::process::{getegid, geteuid};

use super::super::Result;
use super::super::error::FilesError;
use super::super::limits::{ARCHIVE_ENTRIES_MAX, BUFFER_BYTES};
use super::super::owner::Owner;
use super::super::place::{
    Placement, follow, kind_at, make_folders, open_child, set_owner, set_owner_at, times,
};
use super::super::resolve::{join, open_plain, split};
use super::super::xattrs::is_reserved;
use super::Owners;

pub(super) struct Extractor {
    top: OwnedFd,
    owners: Owners,
    buffer: Vec<u8>,
    /// Folders with the modes and times they get last.
    folders: Vec<(Vec<u8>, u32, (i64, u32))>,
    /// The parent used last.
    last: Option<(Vec<u8>, Rc<OwnedFd>)>,
    pub(super) entries: u64,
}

impl Extractor {
    pub(super) fn new(top: OwnedFd, owners: Owners) -> Self {
        let buffer = vec![0; BUFFER_BYTES];
        Self { top, owners, buffer, folders: Vec::new(), last: None, entries: 0 }
    }

    pub(super) fn entry(&mut self, entry: &Entry, data: &mut Reader<'_>) -> Result<()> {
        self.entries += 1;
        if self.entries > ARCHIVE_ENTRIES_MAX {
            return Err(refused(entry, "there are too many entries"));
        }
        let path = clean(&entry.name).map_err(|why| refused(entry, why))?;
        if path.is_empty() {
            return match entry.kind {
                // The folder that is unpacked to stays as it is.
                EntryKind::Directory => Ok(()),
                _ => Err(refused(entry, "it has no name")),
            };
        }
        let (folder, name) = split(&path);
        let name =
            CString::new(name).map_err(|_| refused(entry, "its name contains a NUL byte"))?;
        let parent = self.parent(folder)?;
        self.make_room(entry, parent.as_fd(), &name, &path)?;
        match entry.kind {
            EntryKind::CharDevice | EntryKind::BlockDevice => Ok(()),
            EntryKind::Directory => self.folder(entry, parent.as_fd(), &name, &path),
            EntryKind::File => self.file(entry, parent.as_fd(), &name, &path, data),
            EntryKind::Hardlink => self.hard_link(entry, parent.as_fd(), &name, &path),
            EntryKind::Symlink => {
                symlinkat(entry.link.as_slice(), &*parent, &name)
                    .map_err(FilesError::io("create", &path))?;
                self.finish_at(entry, parent.as_fd(), &name, &path)
            }
            EntryKind::Fifo => {
                mknodat(&*parent, &name, FileType::Fifo, Mode::from_raw_mode(0o600), 0)
                    .map_err(FilesError::io("create", &path))?;
                // Just made by us: no link that this call could follow.
                chmodat(&*parent, &name, mode(entry), AtFlags::empty())
                    .map_err(FilesError::io("set the mode of", &path))?;
                self.finish_at(entry, parent.as_fd(), &name, &path)
            }
        }
    }

    /// The folder at a path, made with those above it if it is not there.
    fn parent(&mut self, path: &[u8]) -> Result<Rc<OwnedFd>> {
        if let Some((last, folder)) = &self.last
            && last == path
        {
            return Ok(Rc::clone(folder));
        }
        let found = follow(self.top.as_fd(), path)?;
        let (folder, _) = make_folders(self.top.as_fd(), &found, &self.unnamed())?;
        let folder = Rc::new(folder);
        self.last = Some((path.to_vec(), Rc::clone(&folder)));
        Ok(folder)
    }

    /// Removes what is at the place of an entry, but for a folder where one comes.
    fn make_room(
        &mut self,
        entry: &Entry,
        parent: BorrowedFd<'_>,
        name: &CStr,
        path: &[u8],
    ) -> Result<()> {
        let there = kind_at(parent, name).map_err(FilesError::io("look at", path))?;
        let is_folder = entry.kind == EntryKind::Directory;
        match there {
            None => Ok(()),
            Some(FileType::Directory) if is_folder => Ok(()),
            Some(FileType::Directory) => {
                // A parent that is remembered may be in it.
                self.last = None;
                remove(parent, name).map_err(FilesError::io("replace", path))
            }
            Some(_) => {
                self.last = None;
                unlinkat(parent, name, AtFlags::empty()).map_err(FilesError::io("replace", path))
            }
        }
    }

    fn folder(
        &mut self,
        entry: &Entry,
        parent: BorrowedFd<'_>,
        name: &CStr,
        path: &[u8],
    ) -> Result<()> {
        match mkdirat(parent, name, Mode::from_raw_mode(0o700)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(FilesError::io("create", path)(errno)),
        }
        let folder = open_child(parent, name).map_err(FilesError::io("open", path))?;
        self.give(entry, folder.as_fd(), path)?;
        attributes(entry, folder.as_fd());
        self.folders.push((path.to_vec(), entry.mode & 0o7777, entry.mtime));
        Ok(())
    }

    fn file(
        &mut self,
        entry: &Entry,
        parent: BorrowedFd<'_>,
        name: &CStr,
        path: &[u8],
        data: &mut Reader<'_>,
    ) -> Result<()> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(parent, name, flags, Mode::from_raw_mode(0o600));
        let mut file = File::from(file.map_err(FilesError::io("create", path))?);
        write_content(data, entry, &mut file, &mut self.buffer)?;
        self.give(entry, file.as_fd(), path)?;
        attributes(entry, file.as_fd());
        fchmod(&file, mode(entry)).map_err(FilesError::io("set the mode of", path))?;
        futimens(&file, &mtime(entry.mtime)).map_err(FilesError::io("set the time of", path))
    }

    fn hard_link(
        &self,
        entry: &Entry,
        parent: BorrowedFd<'_>,
        name: &CStr,
        path: &[u8],
    ) -> Result<()> {
        let target = clean(&entry.link).map_err(|why| refused(entry, why))?;
        let (folder, source) = split(&target);
        let source =
            CString::new(source).map_err(|_| refused(entry, "its link target is invalid"))?;
        let found = follow(self.top.as_fd(), folder)?;
        let folder = match open_plain(self.top.as_fd(), &found, OFlags::PATH | OFlags::DIRECTORY) {
            Err(Errno::NOENT | Errno::NOTDIR) => {
                return Err(refused(entry, "its link target is not there"));
            }
            folder => folder.map_err(FilesError::io("link", path))?,
        };
        match linkat(&folder, &source, parent, name, AtFlags::empty()) {
            Err(Errno::NOENT) => Err(refused(entry, "its link target is not there")),
            Err(Errno::PERM) => Err(refused(entry, "its link target is no file")),
            outcome => outcome.map_err(FilesError::io("link", path)),
        }
    }

    fn owner(&self, entry: &Entry) -> Result<Option<Owner>> {
        match self.owners {
            Owners::Ours => Ok(None),
            Owners::Theirs { instead: Some(owner), .. } => Ok(Some(owner)),
            Owners::Theirs { instead: None, .. } => {
                let id = |id: u64| {
                    let id = u32::try_from(id).ok().filter(|id| *id != u32::MAX);
                    id.ok_or_else(|| refused(entry, "its owner is no id"))
                };
                Ok(Some(Owner { uid: id(entry.uid)?, gid: id(entry.gid)? }))
            }
        }
    }

    /// What becomes of folders that the archive has no entries for.
    fn unnamed(&self) -> Placement {
        let owner = match self.owners {
            Owners::Ours => Some(Owner { uid: geteuid().as_raw(), gid: getegid().as_raw() }),
            Owners::Theirs { .. } => None,
        };
        Placement { owner, one_id: self.one_id(), ..Placement::default() }
    }

    fn one_id(&self) -> bool {
        matches!(self.owners, Owners::Theirs { one_id: true, .. })
    }

    fn give(&self, entry: &Entry, file: BorrowedFd<'_>, path: &[u8]) -> Result<()> {
        let Some(owner) = self.owner(entry)? else { return Ok(()) };
        set_owner(file, owner, self.one_id()).map_err(FilesError::owner(owner, path))
    }

    /// Owner and time of what cannot be opened.
    fn finish_at(
        &self,
        entry: &Entry,
        parent: BorrowedFd<'_>,
        name: &CStr,
        path: &[u8],
    ) -> Result<()> {
        if let Some(owner) = self.owner(entry)? {
            set_owner_at(parent, name, owner, self.one_id())
                .map_err(FilesError::owner(owner, path))?;
        }
        utimensat(parent, name, &mtime(entry.mtime), AtFlags::SYMLINK_NOFOLLOW)
            .map_err(FilesError::io("set the time of", path))
    }

    pub(super) fn finish(self) -> Result<()> {
        // Those below first: a mode may close the way to them.
        for (path, mode, time) in self.folders.iter().rev() {
            let (above, name) = split(path);
            let found = follow(self.top.as_fd(), above)?;
            let path = join(&found, name);
            let flags = OFlags::RDONLY | OFlags::DIRECTORY;
            let folder = match open_plain(self.top.as_fd(), &path, flags) {
                // A later entry took its place.
                Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => continue,
                folder => folder.map_err(FilesError::io("open", &path))?,
            };
            futimens(&folder, &mtime(*time)).map_err(FilesError::io("set the time of", &path))?;
            fchmod(&folder, Mode::from_raw_mode(*mode))
                .map_err(FilesError::io("set the mode of", &path))?;
        }
        Ok(())
    }
}

fn refused(entry: &Entry, why: &'static str) -> FilesError {
    FilesError::Refused { entry: entry.shown(), why }
}

fn mode(entry: &Entry) -> Mode {
    Mode::from_raw_mode(entry.mode & 0o7777)
}

fn mtime((seconds, nanos): (i64, u32)) -> rustix::fs::Timestamps {
    times(seconds, nanos.into())
}

/// As with `BuildKit`, what may not be set is lost.
fn attributes(entry: &Entry, file: BorrowedFd<'_>) {
    for (name, value) in &entry.xattrs {
        if !is_reserved(name.as_bytes(), false) {
            fsetxattr(file, name.as_str(), value, XattrFlags::empty()).ok();
        }
    }
}

/// Removes a folder with all that is in it.
fn remove(parent: BorrowedFd<'_>, name: &CStr) -> std::io::Result<()> {
    use std::os::unix::ffi::OsStrExt;
    let path = Path::new("/proc/self/fd")
        .join(parent.as_raw_fd().to_string())
        .join(std::ffi::OsStr::from_bytes(name.to_bytes()));
    coracle_runtime::volumes::remove_tree(&path).map_err(std::io::Error::other)
}
