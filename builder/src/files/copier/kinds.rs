//! One thing that is no folder.

use std::ffi::{CStr, CString};
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd};

use coracle_sys::file_content::copy_content;
use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, Stat, chmodat, fchmod, fstat, futimens, linkat, mknodat,
    readlinkat, symlinkat, utimensat,
};
use rustix::io::Errno;

use super::super::Result;
use super::super::content::{is_same, open_file};
use super::super::error::{FilesError, shown};
use super::super::owner::Owner;
use super::super::place::{set_owner, set_owner_at};
use super::super::resolve::{open_plain, split};
use super::super::walk::Found;
use super::Copier;

impl Copier<'_> {
    pub(super) fn content(&mut self, name: &CStr, content: &[u8]) -> Result<()> {
        let path = name.to_bytes();
        let mut file = self.create(name, path)?;
        file.write_all(content).map_err(self.failed("write", path))?;
        let owner = self.placement.owner.unwrap_or_default();
        self.give(file.as_fd(), owner).map_err(FilesError::owner(owner, &self.full(path)))?;
        let mode = self.placement.mode.as_ref().map_or(0o644, |mode| mode.apply(0o644, false));
        fchmod(&file, Mode::from_raw_mode(mode)).map_err(self.failed("set the mode of", path))?;
        self.copied.files += 1;
        self.copied.bytes += content.len() as u64;
        Ok(())
    }

    fn give(&self, file: BorrowedFd<'_>, owner: Owner) -> rustix::io::Result<()> {
        let gives_group = self.folders.last().is_some_and(|folder| folder.gives_group);
        if owner == Owner::default() && !gives_group && !self.placement.one_id {
            return Ok(());
        }
        set_owner(file, owner, self.placement.one_id)
    }

    /// Anything but a folder.
    pub(super) fn copy(&mut self, found: &Found<'_>, name: &CStr) -> Result<()> {
        let path = if found.path.is_empty() { name.to_bytes() } else { found.path };
        match FileType::from_raw_mode(found.stat.st_mode) {
            FileType::RegularFile => self.file(found, name, path),
            FileType::Symlink => self.symlink(found, name, path),
            FileType::Fifo => self.fifo(found, name, path),
            // As with BuildKit, an empty file stands for it.
            FileType::Socket => {
                self.count(found);
                let file = self.create(name, path)?;
                self.finish(found, &file, None, path)
            }
            _ => Err(FilesError::Device { path: shown(found.path) }),
        }
    }

    fn count(&mut self, found: &Found<'_>) {
        self.copied.files += 1;
        self.stamper.add(found.path, found.stat);
    }

    fn file(&mut self, found: &Found<'_>, name: &CStr, path: &[u8]) -> Result<()> {
        let identity = (found.stat.st_dev, found.stat.st_ino);
        if found.stat.st_nlink > 1
            && let Some(other) = self.links.get(&identity)
        {
            let (folder, last) = split(other);
            let last = CString::new(last).unwrap_or_default();
            let folder = open_plain(self.root, folder, OFlags::PATH | OFlags::DIRECTORY)
                .map_err(self.failed("link", path))?;
            self.clear(name, path)?;
            self.count(found);
            let parent = self.parent()?.handle.as_fd();
            return linkat(&folder, &last, parent, name, AtFlags::empty())
                .map_err(self.failed("link", path));
        }
        // What went away since its folder was read is not there.
        let Some((source, before)) = open_file(found)? else { return Ok(()) };
        self.count(found);
        let file = self.create(name, path)?;
        if found.stat.st_nlink > 1 {
            self.links.insert(identity, self.full(path));
        }
        self.copied.bytes +=
            copy_content(&source, &file, &before).map_err(self.failed("write", path))?;
        let after = fstat(&source).map_err(FilesError::io("look at", found.path))?;
        if !is_same(found.stat, &after) {
            // Counts as another file than the one that was hashed.
            self.stamper.add(found.path, &after);
        }
        self.finish(found, &file, Some(&source), path)
    }

    /// Owner, attributes, mode and time: each would be changed by those before.
    fn finish(
        &mut self,
        found: &Found<'_>,
        file: &File,
        source: Option<&File>,
        path: &[u8],
    ) -> Result<()> {
        let stat = found.stat;
        let owner = self.owner(stat);
        self.give(file.as_fd(), owner).map_err(FilesError::owner(owner, &self.full(path)))?;
        if let Some(source) = source {
            let keeps_owner = self.keeps_owner();
            let outcome = self.xattrs.copy(source, file, keeps_owner);
            outcome.map_err(self.failed("set attributes of", path))?;
        }
        fchmod(file, self.mode(stat, false)).map_err(self.failed("set the mode of", path))?;
        futimens(file, &self.times(stat)).map_err(self.failed("set the time of", path))
    }

    fn symlink(&mut self, found: &Found<'_>, name: &CStr, path: &[u8]) -> Result<()> {
        let target = match readlinkat(found.parent, found.name, Vec::new()) {
            Err(Errno::NOENT) => return Ok(()),
            target => target.map_err(FilesError::io("read", found.path))?,
        };
        self.count(found);
        self.clear(name, path)?;
        let parent = self.parent()?.handle.as_fd();
        symlinkat(&target, parent, name).map_err(self.failed("create", path))?;
        self.finish_at(found.stat, name, path)
    }

    fn fifo(&mut self, found: &Found<'_>, name: &CStr, path: &[u8]) -> Result<()> {
        self.count(found);
        self.clear(name, path)?;
        let parent = self.parent()?.handle.as_fd();
        mknodat(parent, name, FileType::Fifo, Mode::from_raw_mode(0o600), 0)
            .map_err(self.failed("create", path))?;
        self.finish_at(found.stat, name, path)?;
        // Just made by us: no link that this call could follow.
        let parent = self.parent()?.handle.as_fd();
        chmodat(parent, name, self.mode(found.stat, false), AtFlags::empty())
            .map_err(self.failed("set the mode of", path))?;
        let times = self.times(found.stat);
        utimensat(parent, name, &times, AtFlags::SYMLINK_NOFOLLOW)
            .map_err(self.failed("set the time of", path))
    }

    fn finish_at(&self, stat: &Stat, name: &CStr, path: &[u8]) -> Result<()> {
        let parent = self.parent()?;
        let owner = self.owner(stat);
        if owner != Owner::default() || parent.gives_group {
            set_owner_at(parent.handle.as_fd(), name, owner, self.placement.one_id)
                .map_err(FilesError::owner(owner, &self.full(path)))?;
        }
        let times = self.times(stat);
        utimensat(&parent.handle, name, &times, AtFlags::SYMLINK_NOFOLLOW)
            .map_err(self.failed("set the time of", path))
    }
}
