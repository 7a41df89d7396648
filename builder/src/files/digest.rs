//! The key of what is selected: names, kinds, modes, owners, links, content and attributes, and never a time.
//!
//! The mode of a folder that was named itself does not count: its content is copied, not it.

use std::collections::HashMap;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::SystemTime;

use coracle_image::Digest;
use coracle_image::digest::Hasher;
use rustix::fs::{FileType, OFlags, Stat, fstat, readlinkat};
use rustix::io::Errno;

use super::Result;
use super::content::{is_same, open_file};
use super::error::{FilesError, shown};
use super::hashes::Hashes;
use super::limits::{BUFFER_BYTES, LINKED_FILES_MAX};
use super::resolve::split;
use super::select::{RootKind, Selection, missing};
use super::tree::Tree;
use super::walk::{Found, Visitor, walk};
use super::xattrs::Xattrs;

/// What is selected, for the key of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Content {
    pub key: Digest,
    pub stamp: Stamp,
    pub files: u64,
    /// Bytes of their content.
    pub bytes: u64,
}

/// Which files they were, with all their times: when copying comes to another, somebody changed them in between.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stamp(pub u64);

/// Makes one.
#[derive(Default)]
pub(super) struct Stamper(DefaultHasher);

impl Stamper {
    pub(super) fn add(&mut self, path: &[u8], stat: &Stat) {
        path.hash(&mut self.0);
        // A folder's times change with what is not selected in it.
        if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile {
            (stat.st_dev, stat.st_ino, stat.st_size).hash(&mut self.0);
            (stat.st_mtime, stat.st_mtime_nsec).hash(&mut self.0);
            (stat.st_ctime, stat.st_ctime_nsec).hash(&mut self.0);
        }
        stat.st_mode.hash(&mut self.0);
    }

    pub(super) fn finish(self) -> Stamp {
        Stamp(self.0.finish())
    }
}

impl Selection<'_> {
    /// The key, and what tells later whether it still holds.
    ///
    /// # Errors
    /// Something cannot be read.
    pub fn digest(&self, hashes: &mut Hashes) -> Result<Content> {
        self.digest_until(hashes, &mut || false)
    }

    /// The same, ended by [`FilesError::Ended`] when `ends` says so: it is asked before each file and each piece of one.
    ///
    /// # Errors
    /// Something cannot be read, or it was ended.
    pub fn digest_until(
        &self,
        hashes: &mut Hashes,
        ends: &mut dyn FnMut() -> bool,
    ) -> Result<Content> {
        let mut digester = Digester {
            tree: self.tree,
            base: b"",
            hashes,
            ends,
            hasher: Hasher::new(),
            stamper: Stamper::default(),
            buffer: Vec::new(),
            xattrs: Xattrs::default(),
            linked: HashMap::new(),
            files: 0,
            bytes: 0,
        };
        for root in &self.roots {
            digester.part(b"root");
            digester.part(&root.name);
            match (&root.kind, self.tree) {
                (RootKind::Content(content), _) => digester.part(content),
                (RootKind::Folder(path), Some(tree)) => {
                    digester.base = path;
                    walk(tree, path, &self.choice, &mut digester)?;
                }
                (RootKind::Other(path), Some(tree)) => {
                    digester.base = path;
                    digester.single(tree, path)?;
                }
                (_, None) => {}
            }
        }
        Ok(Content {
            key: digester.hasher.finish(),
            stamp: digester.stamper.finish(),
            files: digester.files,
            bytes: digester.bytes,
        })
    }
}

struct Digester<'a> {
    tree: Option<&'a Tree>,
    /// The path of what is walked.
    base: &'a [u8],
    hashes: &'a mut Hashes,
    ends: &'a mut dyn FnMut() -> bool,
    hasher: Hasher,
    stamper: Stamper,
    buffer: Vec<u8>,
    xattrs: Xattrs,
    /// Files of a root filesystem that have several names, by device and inode: BusyBox has hundreds.
    linked: HashMap<(u64, u64), [u8; 32]>,
    files: u64,
    bytes: u64,
}

impl Digester<'_> {
    /// Bytes with their length, so that no two rows of parts read alike.
    fn part(&mut self, bytes: &[u8]) {
        self.hasher.update(&(bytes.len() as u64).to_be_bytes());
        self.hasher.update(bytes);
    }

    /// A file, or whatever is no folder, without the folder it is in.
    fn single(&mut self, tree: &Tree, path: &[u8]) -> Result<()> {
        let (folder, name) = split(path);
        let parent = tree.open(folder, OFlags::PATH | OFlags::DIRECTORY)?;
        let name = std::ffi::CString::new(name).unwrap_or_default();
        let handle = tree.open(path, OFlags::PATH)?;
        let stat = fstat(&handle).map_err(FilesError::io("look at", path))?;
        let before = self.files;
        self.entry(&Found { parent: parent.as_fd(), name: &name, path: b"", stat: &stat })?;
        // What was named itself is not simply left out.
        if self.files == before { Err(missing(tree, path)) } else { Ok(()) }
    }

    fn head(&mut self, found: &Found<'_>, kind: u8) {
        self.part(found.path);
        let mode = if kind == b'l' { 0 } else { found.stat.st_mode & 0o7777 };
        self.hasher.update(&[kind]);
        self.hasher.update(&mode.to_be_bytes());
        if self.tree.is_some_and(|tree| !tree.is_context()) {
            self.hasher.update(&found.stat.st_uid.to_be_bytes());
            self.hasher.update(&found.stat.st_gid.to_be_bytes());
        }
        self.stamper.add(found.path, found.stat);
    }

    fn keeps_owner(&self) -> bool {
        self.tree.is_some_and(|tree| !tree.is_context())
    }

    fn attributes(&mut self, file: BorrowedFd<'_>, path: &[u8]) -> Result<()> {
        let keeps_owner = self.keeps_owner();
        let hasher = &mut self.hasher;
        let each = |name: &[u8], value: &[u8]| {
            hasher.update(&(name.len() as u64).to_be_bytes());
            hasher.update(name);
            hasher.update(&(value.len() as u64).to_be_bytes());
            hasher.update(value);
        };
        self.xattrs
            .each(file, keeps_owner, each)
            .map_err(FilesError::io("read attributes of", path))
    }

    /// None of a file that went away.
    fn content(&mut self, found: &Found<'_>) -> Result<Option<[u8; 32]>> {
        let remembers = self.tree.is_some_and(Tree::is_context);
        let now = SystemTime::now();
        if remembers && let Some(digest) = self.hashes.get(found.stat, now) {
            return Ok(Some(digest));
        }
        // Nobody writes to a root filesystem while it is looked at.
        let linked = (!remembers && found.stat.st_nlink > 1)
            .then_some((found.stat.st_dev, found.stat.st_ino));
        if let Some(digest) = linked.and_then(|file| self.linked.get(&file)) {
            return Ok(Some(*digest));
        }
        let Some((mut file, before)) = open_file(found)? else { return Ok(None) };
        let mut digest = self.read(&mut file, found.path)?;
        let mut attributes = Hasher::new();
        let keeps_owner = self.keeps_owner();
        let each = |name: &[u8], value: &[u8]| {
            attributes.update(&(name.len() as u64).to_be_bytes());
            attributes.update(name);
            attributes.update(&(value.len() as u64).to_be_bytes());
            attributes.update(value);
        };
        self.xattrs
            .each(&file, keeps_owner, each)
            .map_err(FilesError::io("read attributes of", found.path))?;
        if attributes.byte_count() > 0 {
            let both = [digest, attributes.finish().to_bytes()].concat();
            digest = Digest::of(&both).to_bytes();
        }
        let after = fstat(&file).map_err(FilesError::io("look at", found.path))?;
        if remembers && is_same(&before, &after) {
            self.hashes.put(&after, digest, now);
        }
        if let Some(file) = linked
            && self.linked.len() < LINKED_FILES_MAX
        {
            self.linked.insert(file, digest);
        }
        Ok(Some(digest))
    }

    fn go_on(&mut self) -> Result<()> {
        if (self.ends)() { Err(FilesError::Ended) } else { Ok(()) }
    }

    fn read(&mut self, file: &mut File, path: &[u8]) -> Result<[u8; 32]> {
        self.buffer.resize(BUFFER_BYTES, 0);
        let mut hasher = Hasher::new();
        loop {
            self.go_on()?;
            match file.read(&mut self.buffer) {
                Ok(0) => return Ok(hasher.finish().to_bytes()),
                Ok(count) => hasher.update(&self.buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(FilesError::io("read", path)(error)),
            }
        }
    }
}

impl Visitor for Digester<'_> {
    fn enter(&mut self, found: &Found<'_>, folder: BorrowedFd<'_>, _implied: bool) -> Result<()> {
        self.head(found, b'd');
        self.attributes(folder, found.path).map_err(|error| error.below(self.base))
    }

    fn leave(&mut self, _: &Found<'_>, _: BorrowedFd<'_>, _: bool) -> Result<()> {
        Ok(())
    }

    fn entry(&mut self, found: &Found<'_>) -> Result<()> {
        self.one(found).map_err(|error| error.below(self.base))
    }
}

impl Digester<'_> {
    fn one(&mut self, found: &Found<'_>) -> Result<()> {
        self.go_on()?;
        match FileType::from_raw_mode(found.stat.st_mode) {
            FileType::RegularFile => {
                let Some(digest) = self.content(found)? else { return Ok(()) };
                self.head(found, b'f');
                self.bytes += found.stat.st_size.unsigned_abs();
                self.hasher.update(&digest);
            }
            FileType::Symlink => {
                let target = match readlinkat(found.parent, found.name, Vec::new()) {
                    Err(Errno::NOENT) => return Ok(()),
                    target => target.map_err(FilesError::io("read", found.path))?,
                };
                self.head(found, b'l');
                self.part(target.to_bytes());
            }
            FileType::Fifo => self.head(found, b'p'),
            FileType::Socket => self.head(found, b's'),
            _ => return Err(FilesError::Device { path: shown(found.path) }),
        }
        self.files += 1;
        Ok(())
    }
}
