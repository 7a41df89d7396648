//! Goes through a folder of a tree, in order of names, and tells of what is selected.
//!
//! # How it works
//!
//! Two lists of patterns count: what the context leaves out is not there at all, what the instruction leaves out is
//! there. A folder that only exists because of something in it – the context takes a file of it back, or `--parents`
//! names one – is told of when that is found. A folder in which nothing can be found is not entered.

use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, Mode, OFlags, Stat, fstat, openat, statat};
use rustix::io::Errno;

use super::error::{FilesError, shown};
use super::listing::Listing;
use super::tree::{Tree, is_folder, text};
use super::{Result, limits};
use crate::ignore::{Filter, Fits};

/// What an instruction takes of a folder.
#[derive(Debug, Default)]
pub(super) struct Choice {
    /// All, without any.
    pub(super) include: Option<Filter>,
    pub(super) exclude: Filter,
}

/// Something that was found.
pub(super) struct Found<'a> {
    /// The folder it is in.
    pub(super) parent: BorrowedFd<'a>,
    pub(super) name: &'a CStr,
    /// Below the folder that is walked.
    pub(super) path: &'a [u8],
    pub(super) stat: &'a Stat,
}

pub(super) trait Visitor {
    /// A folder, before what is in it. `implied`: it is not selected itself.
    fn enter(&mut self, found: &Found<'_>, folder: BorrowedFd<'_>, implied: bool) -> Result<()>;
    /// The same folder, after what is in it.
    fn leave(&mut self, found: &Found<'_>, folder: BorrowedFd<'_>, implied: bool) -> Result<()>;
    /// Anything else.
    fn entry(&mut self, found: &Found<'_>) -> Result<()>;
}

/// Walks what is in the folder at `start`, a path without links.
pub(super) fn walk(
    tree: &Tree,
    start: &[u8],
    choice: &Choice,
    visitor: &mut dyn Visitor,
) -> Result<()> {
    let folder = tree.open(start, OFlags::RDONLY | OFlags::DIRECTORY)?;
    let stat = fstat(&folder).map_err(FilesError::io("look at", start))?;
    let mut ignored = Fits::new();
    if !start.is_empty() && !tree.ignore().is_empty() {
        tree.ignore().matches_alone(&text(start), &mut ignored);
    }
    let mut path = start.to_vec();
    if !path.is_empty() {
        path.push(b'/');
    }
    let below = path.len();
    let mut walker = Walker { tree, choice, visitor, path, below, levels: Vec::new(), waiting: 0 };
    walker.levels.push(Level {
        folder,
        stat,
        name: Vec::new(),
        end: below,
        is_included: true,
        is_entered: true,
    });
    let fits = AllFits { ignored, included: Fits::new(), excluded: Fits::new() };
    walker.folder(&fits)
}

struct Walker<'a> {
    tree: &'a Tree,
    choice: &'a Choice,
    visitor: &'a mut dyn Visitor,
    /// From the root of the tree.
    path: Vec<u8>,
    /// Where the path below the folder begins in it.
    below: usize,
    levels: Vec<Level>,
    /// Levels that were not told of.
    waiting: usize,
}

struct Level {
    folder: OwnedFd,
    stat: Stat,
    name: Vec<u8>,
    /// End of its path.
    end: usize,
    is_included: bool,
    is_entered: bool,
}

/// Which patterns fit a folder.
#[derive(Default)]
struct AllFits {
    ignored: Fits,
    included: Fits,
    excluded: Fits,
}

/// What the patterns say of a path.
struct Verdict {
    is_there: bool,
    is_included: bool,
    is_excluded: bool,
}

impl Walker<'_> {
    fn folder(&mut self, parent: &AllFits) -> Result<()> {
        let Some(level) = self.levels.last() else { return Ok(()) };
        let listing =
            Listing::read(level.folder.as_fd()).map_err(FilesError::io("read", &self.path))?;
        let length = self.path.len();
        let mut fits = AllFits::default();
        for index in 0..listing.len() {
            self.path.extend_from_slice(listing.get(index).to_bytes());
            self.one(listing.get(index), parent, &mut fits)?;
            self.path.truncate(length);
        }
        Ok(())
    }

    fn one(&mut self, name: &CStr, parent: &AllFits, fits: &mut AllFits) -> Result<()> {
        let verdict = self.judge(parent, fits);
        if self.is_pointless(&verdict) {
            if verdict.is_there {
                self.show()?;
            }
            return Ok(());
        }
        let Some(level) = self.levels.last() else { return Ok(()) };
        let stat = match statat(&level.folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            // It went away since its folder was read.
            Err(Errno::NOENT) => return Ok(()),
            stat => stat.map_err(FilesError::io("look at", &self.path))?,
        };
        if is_folder(&stat) {
            return self.subfolder(name, stat, &verdict, fits);
        }
        if !verdict.is_there {
            return Ok(());
        }
        if !verdict.is_included {
            return self.show();
        }
        self.enter_all()?;
        let Some(level) = self.levels.last() else { return Ok(()) };
        let path = &self.path[self.below..];
        self.visitor.entry(&Found { parent: level.folder.as_fd(), name, path, stat: &stat })
    }

    fn judge(&self, parent: &AllFits, fits: &mut AllFits) -> Verdict {
        let mut verdict = Verdict { is_there: true, is_included: true, is_excluded: false };
        let ignore = self.tree.ignore();
        if !ignore.is_empty() {
            let path = text(&self.path);
            verdict.is_there = !ignore.matches(&path, &parent.ignored, &mut fits.ignored);
        }
        let path = text(&self.path[self.below..]);
        if let Some(include) = &self.choice.include {
            verdict.is_included = include.matches(&path, &parent.included, &mut fits.included);
        }
        let exclude = &self.choice.exclude;
        if !exclude.is_empty() && exclude.matches(&path, &parent.excluded, &mut fits.excluded) {
            verdict.is_included = false;
            verdict.is_excluded = true;
        }
        verdict
    }

    /// Whether neither this nor anything in it can be selected.
    fn is_pointless(&self, verdict: &Verdict) -> bool {
        if verdict.is_there && verdict.is_included {
            return false;
        }
        if !verdict.is_there && !self.tree.ignore().may_take_back_in(&text(&self.path)) {
            return true;
        }
        if verdict.is_included {
            return false;
        }
        let path = text(&self.path[self.below..]);
        if verdict.is_excluded {
            return !self.choice.exclude.takes_back();
        }
        self.choice.include.as_ref().is_some_and(|include| !include.may_match_in(&path))
    }

    fn subfolder(
        &mut self,
        name: &CStr,
        stat: Stat,
        verdict: &Verdict,
        fits: &AllFits,
    ) -> Result<()> {
        if self.levels.len() > limits::FOLDER_DEPTH_MAX {
            return Err(FilesError::TooDeep { path: shown(&self.path) });
        }
        let Some(level) = self.levels.last() else { return Ok(()) };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = match openat(&level.folder, name, flags, Mode::empty()) {
            // It went away since it was looked at.
            Err(Errno::NOENT) => return Ok(()),
            Err(Errno::NOTDIR | Errno::LOOP) => {
                return Err(FilesError::Changed { path: shown(&self.path) });
            }
            folder => folder.map_err(FilesError::io("open", &self.path))?,
        };
        self.levels.push(Level {
            folder,
            stat,
            name: name.to_bytes_with_nul().to_vec(),
            end: self.path.len(),
            is_included: verdict.is_included,
            is_entered: false,
        });
        self.waiting += 1;
        if verdict.is_there {
            self.show()?;
        }
        self.path.push(b'/');
        self.folder(fits)?;
        self.path.pop();
        let Some(level) = self.levels.pop() else { return Ok(()) };
        if !level.is_entered {
            self.waiting -= 1;
            return Ok(());
        }
        let Some(parent) = self.levels.last() else { return Ok(()) };
        let found = Found {
            parent: parent.folder.as_fd(),
            name,
            path: &self.path[self.below..],
            stat: &level.stat,
        };
        self.visitor.leave(&found, level.folder.as_fd(), !level.is_included)
    }

    /// Something is there: so are the folders it is in, and those that are selected are told of.
    fn show(&mut self) -> Result<()> {
        if self.waiting == 0 {
            return Ok(());
        }
        let selected = self.levels.iter().rposition(|level| level.is_included && !level.is_entered);
        selected.map_or(Ok(()), |last| self.enter(last + 1))
    }

    fn enter_all(&mut self) -> Result<()> {
        if self.waiting == 0 {
            return Ok(());
        }
        self.enter(self.levels.len())
    }

    /// Tells of the first `count` levels, where that was not done.
    fn enter(&mut self, count: usize) -> Result<()> {
        for index in 1..count {
            let (before, from) = self.levels.split_at_mut(index);
            let (Some(parent), Some(level)) = (before.last(), from.first_mut()) else { break };
            if level.is_entered {
                continue;
            }
            level.is_entered = true;
            self.waiting -= 1;
            let found = Found {
                parent: parent.folder.as_fd(),
                name: CStr::from_bytes_with_nul(&level.name).unwrap_or_default(),
                path: &self.path[self.below..level.end],
                stat: &level.stat,
            };
            self.visitor.enter(&found, level.folder.as_fd(), !level.is_included)?;
        }
        Ok(())
    }
}
