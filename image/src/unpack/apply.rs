//! One entry after the other: files, directories, links, FIFOs and whiteouts.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::rc::Rc;

use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, chmodat, linkat, mkdirat, mknodat, openat, symlinkat,
};
use rustix::io::Errno;

use super::content::{COPY_BYTES, write_content};
use super::error::UnpackError;
use super::marks::{WHITEOUT, WHITEOUT_OPAQUE, is_whiteout};
use super::meta::{Meta, Notes, UnpackOptions, failed, set_time, set_time_at};
use super::tree::{Tree, is_dir, lstat, open_final};
use crate::tar::{Entry, EntryKind, Reader, clean, printable, split};

type Result<T> = std::result::Result<T, UnpackError>;

/// Prefix of what aufs kept for itself in layers; only [`WHITEOUT_OPAQUE`] means something.
const AUFS: &[u8] = b".wh..wh.";

/// What was unpacked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unpacked {
    /// Bytes in regular files, hardlinks counted once.
    pub file_bytes: u64,
    pub entries: u64,
    /// Some of its [`super::marks`] are by name: overlayfs would not read them.
    pub marked_by_name: bool,
    /// What could not be unpacked as it was, for the user.
    pub notes: Vec<String>,
}

/// Unpacks an uncompressed layer archive into the existing directory `dir`.
///
/// Reads up to the end of the archive; what follows is left in `reader`.
pub fn unpack(reader: &mut dyn Read, dir: &Path, options: &UnpackOptions) -> Result<Unpacked> {
    let mut archive = Reader::new(reader);
    let mut applier = Applier::new(dir, *options)?;
    while let Some(entry) = archive.next_entry()? {
        applier.apply(&entry, &mut archive)?;
    }
    applier.finish()
}

/// Writes entries into a layer's directory.
pub(super) struct Applier {
    tree: Tree,
    meta: Meta,
    buffer: Vec<u8>,
    /// Times of directories, set when nothing is written into them any more.
    dir_times: HashMap<Vec<u8>, (i64, u32)>,
    file_bytes: u64,
    entries: u64,
}

impl Applier {
    pub(super) fn new(dir: &Path, options: UnpackOptions) -> Result<Self> {
        Ok(Self {
            tree: Tree::new(dir).map_err(|source| UnpackError::Root { source })?,
            meta: Meta { options, notes: Notes::default() },
            buffer: vec![0; COPY_BYTES],
            dir_times: HashMap::new(),
            file_bytes: 0,
            entries: 0,
        })
    }

    pub(super) fn apply(&mut self, entry: &Entry, data: &mut Reader<'_>) -> Result<()> {
        self.entries += 1;
        let path = clean(&entry.name).map_err(|why| refused(entry, why))?;
        if path.is_empty() {
            return match entry.kind {
                EntryKind::Directory => self.root(entry),
                _ => Err(refused(entry, "it has no name")),
            };
        }
        let (dir, name) = split(&path);
        if name == WHITEOUT_OPAQUE {
            return self.opaque(entry, &path);
        }
        if name.starts_with(AUFS) || dir.split(|b| *b == b'/').any(|part| part.starts_with(AUFS)) {
            return Ok(());
        }
        if let Some(hidden) = name.strip_prefix(WHITEOUT) {
            return self.whiteout(entry, &path, hidden);
        }
        match entry.kind {
            EntryKind::Directory => self.directory(entry, &path),
            EntryKind::File => self.file(entry, &path, data),
            EntryKind::Symlink => self.symlink(entry, &path),
            EntryKind::Hardlink => self.hardlink(entry, &path),
            EntryKind::Fifo => self.fifo(entry, &path),
            EntryKind::CharDevice | EntryKind::BlockDevice => {
                self.meta.notes.add(format!("{}: device node skipped", entry.shown()));
                Ok(())
            }
        }
    }

    /// Sets the times of directories and tells what was done.
    pub(super) fn finish(self) -> Result<Unpacked> {
        for (path, mtime) in &self.dir_times {
            let outcome = if path.is_empty() {
                set_time(self.tree.root(), *mtime)
            } else {
                match self.tree.reopen(path) {
                    Ok(dir) => set_time(dir, *mtime),
                    // A later entry took its place.
                    Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(()),
                    Err(errno) => Err(errno),
                }
            };
            outcome.map_err(|errno| UnpackError::Apply {
                doing: "set the time of",
                entry: printable(path),
                source: errno.into(),
            })?;
        }
        Ok(Unpacked {
            file_bytes: self.file_bytes,
            entries: self.entries,
            marked_by_name: self.tree.marked_by_name,
            notes: self.meta.notes.finish(),
        })
    }

    fn parent<'p>(&mut self, entry: &Entry, path: &'p [u8]) -> Result<(Rc<OwnedFd>, &'p [u8])> {
        self.tree.parent(path).map_err(|errno| match errno {
            Errno::NOTDIR => refused(entry, "a part of its path is no directory"),
            Errno::LOOP => refused(entry, "its path leads through a cycle of symlinks"),
            errno => failed("reach", entry)(errno),
        })
    }

    fn root(&mut self, entry: &Entry) -> Result<()> {
        self.meta.apply(self.tree.root(), entry)?;
        self.dir_times.insert(Vec::new(), entry.mtime);
        Ok(())
    }

    fn directory(&mut self, entry: &Entry, path: &[u8]) -> Result<()> {
        let (parent, name) = self.parent(entry, path)?;
        let mode = Mode::from_raw_mode(0o700);
        let mut hides = false;
        match mkdirat(&*parent, name, mode) {
            Ok(()) => {}
            Err(Errno::EXIST) => {
                let there = lstat(&parent, name).map_err(failed("look at", entry))?;
                if !there.as_ref().is_some_and(is_dir) {
                    hides = there.as_ref().is_some_and(is_whiteout);
                    self.tree.clear(&parent, name).map_err(failed("replace", entry))?;
                    mkdirat(&*parent, name, mode).map_err(failed("create", entry))?;
                }
            }
            Err(errno) => return Err(failed("create", entry)(errno)),
        }
        let dir = Rc::new(open_final(&parent, name).map_err(failed("open", entry))?);
        if hides {
            self.tree.set_opaque(&dir).map_err(failed("hide", entry))?;
        }
        self.meta.apply(&*dir, entry)?;
        self.tree.remember(path, &dir);
        self.dir_times.insert(path.to_vec(), entry.mtime);
        Ok(())
    }

    fn file(&mut self, entry: &Entry, path: &[u8], data: &mut Reader<'_>) -> Result<()> {
        let (parent, name) = self.parent(entry, path)?;
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let create = || openat(&*parent, name, flags, Mode::from_raw_mode(0o600));
        let fd = match create() {
            Err(Errno::EXIST) => {
                self.tree.clear(&parent, name).map_err(failed("replace", entry))?;
                create()
            }
            outcome => outcome,
        };
        let mut file = File::from(fd.map_err(failed("create", entry))?);
        self.file_bytes += write_content(data, entry, &mut file, &mut self.buffer)?;
        self.meta.apply(&file, entry)?;
        set_time(&file, entry.mtime).map_err(failed("set the time of", entry))
    }

    fn symlink(&mut self, entry: &Entry, path: &[u8]) -> Result<()> {
        if entry.link.is_empty() {
            return Err(refused(entry, "its link target is empty"));
        }
        let (parent, name) = self.parent(entry, path)?;
        let target = entry.link.as_slice();
        let create = || symlinkat(target, &*parent, name);
        let outcome = match create() {
            Err(Errno::EXIST) => {
                self.tree.clear(&parent, name).map_err(failed("replace", entry))?;
                create()
            }
            outcome => outcome,
        };
        outcome.map_err(failed("create", entry))?;
        self.meta.apply_at(&parent, name, entry)?;
        set_time_at(&parent, name, entry)
    }

    fn hardlink(&mut self, entry: &Entry, path: &[u8]) -> Result<()> {
        const MISSING: &str = "its link target is not in this layer";
        let target =
            clean(&entry.link).map_err(|_| refused(entry, "its link target is invalid"))?;
        if target.is_empty() {
            return Err(refused(entry, "its link target is empty"));
        }
        let (source_dir, source_name) = match self.tree.existing_parent(&target) {
            Ok(found) => found,
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Err(refused(entry, MISSING)),
            Err(errno) => return Err(failed("reach the link target of", entry)(errno)),
        };
        let source = lstat(&source_dir, source_name).map_err(failed("look at", entry))?;
        let Some(source) = source.filter(|stat| !is_whiteout(stat)) else {
            return Err(refused(entry, MISSING));
        };
        if is_dir(&source) {
            return Err(refused(entry, "its link target is a directory"));
        }
        let (parent, name) = self.parent(entry, path)?;
        let there = lstat(&parent, name).map_err(failed("look at", entry))?;
        if let Some(there) = there {
            if (there.st_dev, there.st_ino) == (source.st_dev, source.st_ino) {
                return Ok(());
            }
            self.tree.clear(&parent, name).map_err(failed("replace", entry))?;
        }
        linkat(&*source_dir, source_name, &*parent, name, AtFlags::empty())
            .map_err(failed("link", entry))
    }

    fn fifo(&mut self, entry: &Entry, path: &[u8]) -> Result<()> {
        let (parent, name) = self.parent(entry, path)?;
        let mode = Mode::from_raw_mode(0o600);
        let create = || mknodat(&*parent, name, FileType::Fifo, mode, 0);
        let outcome = match create() {
            Err(Errno::EXIST) => {
                self.tree.clear(&parent, name).map_err(failed("replace", entry))?;
                create()
            }
            outcome => outcome,
        };
        outcome.map_err(failed("create", entry))?;
        self.meta.apply_at(&parent, name, entry)?;
        // Just created by us: no symlink that this call could follow.
        chmodat(&*parent, name, Mode::from_raw_mode(entry.mode), AtFlags::empty())
            .map_err(failed("set the mode of", entry))?;
        set_time_at(&parent, name, entry)
    }

    fn opaque(&mut self, entry: &Entry, path: &[u8]) -> Result<()> {
        let (parent, _) = self.parent(entry, path)?;
        self.tree.set_opaque(&parent).map_err(failed("apply", entry))
    }

    /// Hides `hidden` of lower layers. What this very layer puts there stays.
    fn whiteout(&mut self, entry: &Entry, path: &[u8], hidden: &[u8]) -> Result<()> {
        if matches!(hidden, b"" | b"." | b"..") {
            return Err(refused(entry, "it is a whiteout of no file"));
        }
        let (parent, _) = self.parent(entry, path)?;
        match lstat(&parent, hidden).map_err(failed("look at", entry))? {
            Some(stat) if is_dir(&stat) => {
                let dir = open_final(&parent, hidden).map_err(failed("open", entry))?;
                self.tree.set_opaque(&dir).map_err(failed("apply", entry))
            }
            Some(_) => Ok(()),
            None => self.tree.hide(&parent, hidden).map_err(failed("apply", entry)),
        }
    }
}

fn refused(entry: &Entry, why: &str) -> UnpackError {
    UnpackError::Refused { entry: entry.shown(), why: why.to_owned() }
}
