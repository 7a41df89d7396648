//! Where files come from: a context without what its ignore file leaves out, or a root filesystem.

use std::borrow::Cow;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags, Stat, fstat, statat};

use super::error::FilesError;
use super::listing::Listing;
use super::resolve::{Resolved, open_plain, resolve};
use super::{Result, limits};
use crate::ignore::{Filter, Fits, Ignore};

/// A tree of files, only read.
#[derive(Debug)]
pub struct Tree {
    root: OwnedFd,
    is_context: bool,
    ignore: Filter,
}

impl Tree {
    /// The folder of a context: all that is in it belongs to root.
    ///
    /// # Errors
    /// It cannot be opened, or a pattern of the ignore file is malformed.
    pub fn context(path: &Path, ignore: Option<&Ignore>) -> Result<Self> {
        let ignore = ignore.map(Ignore::filter).transpose();
        let ignore = ignore.map_err(|pattern| FilesError::BadPattern { pattern })?;
        Ok(Self { root: open(path)?, is_context: true, ignore: ignore.unwrap_or_default() })
    }

    /// A root filesystem, or another folder whose owners count.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn root_filesystem(path: &Path) -> Result<Self> {
        Ok(Self { root: open(path)?, is_context: false, ignore: Filter::default() })
    }

    /// The same, opened already.
    #[must_use]
    pub fn of_handle(root: OwnedFd) -> Self {
        Self { root, is_context: false, ignore: Filter::default() }
    }

    pub(super) fn is_context(&self) -> bool {
        self.is_context
    }

    pub(super) fn ignore(&self) -> &Filter {
        &self.ignore
    }

    pub(super) fn handle(&self) -> BorrowedFd<'_> {
        self.root.as_fd()
    }

    /// Opens what is at a path without links.
    pub(super) fn open(&self, path: &[u8], flags: OFlags) -> Result<OwnedFd> {
        open_plain(self.handle(), path, flags).map_err(FilesError::io("open", path))
    }

    /// Where a path leads; none if what is there is not there for the build.
    pub(super) fn find(&self, path: &[u8], follows_last: bool) -> Result<Option<(Resolved, Stat)>> {
        let mut fits = Fits::new();
        let fits = std::cell::RefCell::new(&mut fits);
        let sees = |path: &[u8]| {
            self.ignore.is_empty()
                || !self.ignore.matches_alone(&text(path), &mut fits.borrow_mut())
        };
        let found = match resolve(self.handle(), path, follows_last, &sees) {
            Err(rustix::io::Errno::LOOP) if self.is_context => {
                return Err(FilesError::TooManyLinks { path: super::error::shown(path) });
            }
            Err(rustix::io::Errno::LOOP) => return Ok(None),
            found => found.map_err(FilesError::io("look for", path))?,
        };
        if !found.is_there() {
            return Ok(None);
        }
        let handle = self.open(&found.path, OFlags::PATH)?;
        let stat = fstat(&handle).map_err(FilesError::io("look at", path))?;
        Ok(self.shows(&found.path, &stat)?.then_some((found, stat)))
    }

    /// Whether something at a path without links is there for the build: it is not left out, or something in it is
    /// not.
    pub(super) fn shows(&self, path: &[u8], stat: &Stat) -> Result<bool> {
        if self.ignore.is_empty() || path.is_empty() {
            return Ok(true);
        }
        let mut fits = Fits::new();
        if !self.ignore.matches_alone(&text(path), &mut fits) {
            return Ok(true);
        }
        let mut path = path.to_vec();
        Ok(is_folder(stat) && self.shows_in(&mut path, &fits, 0)?)
    }

    fn shows_in(&self, path: &mut Vec<u8>, parent: &[bool], depth: usize) -> Result<bool> {
        if depth > limits::FOLDER_DEPTH_MAX {
            return Err(FilesError::TooDeep { path: super::error::shown(path) });
        }
        if !self.ignore.may_take_back_in(&text(path)) {
            return Ok(false);
        }
        let folder = self.open(path, OFlags::RDONLY | OFlags::DIRECTORY)?;
        let listing = Listing::read(folder.as_fd()).map_err(FilesError::io("read", path))?;
        let length = path.len();
        let mut fits = Fits::new();
        for index in 0..listing.len() {
            let name = listing.get(index);
            path.push(b'/');
            path.extend_from_slice(name.to_bytes());
            let is_shown = !self.ignore.matches(&text(path), parent, &mut fits) || {
                let stat = statat(&folder, name, rustix::fs::AtFlags::SYMLINK_NOFOLLOW);
                stat.is_ok_and(|stat| is_folder(&stat)) && self.shows_in(path, &fits, depth + 1)?
            };
            path.truncate(length);
            if is_shown {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

pub(super) fn is_folder(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Directory
}

/// A path for patterns.
pub(super) fn text(path: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(path)
}

fn open(path: &Path) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| FilesError::Io {
        doing: "open",
        path: path.display().to_string(),
        source: errno.into(),
    })
}
