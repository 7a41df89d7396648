//! Directories to archives: a container's root for `export`, its changes for `commit`.
//!
//! # How it works
//!
//! Entries come in sorted order, a directory before what it holds. Each directory is
//! opened anew beneath the root, without following any symlink, so a container that
//! renames directories meanwhile cannot lead the walk out.
//!
//! With [`PackOptions::overlay`], marks of overlayfs become whiteout entries again.
//! Attributes of overlayfs and of ours are left out; a recorded owner is restored.
//!
//! With [`PackOptions::adopts`], the folder itself becomes what the archive says: what is skipped
//! is removed, and what only a mounted overlay needs is taken off. Packed again, a folder gives the
//! same bytes.
//!
//! # Limits
//!
//! Sockets are skipped. Times are cut to seconds, as Docker does. Holes are written out.

mod attributes;

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::rc::Rc;

use rustix::fs::{
    Dir, FileType, Mode, OFlags, ResolveFlags, Stat, Timespec, Timestamps, fstat, futimens, openat,
    openat2, readlinkat,
};
use rustix::io::Errno;

use crate::error::{ImageError, Result};
use crate::tar::{EntryKind, Head, TarWriter, printable};
use crate::unpack::{OPAQUE_XATTR, WHITEOUT, WHITEOUT_OPAQUE, is_whiteout};
use attributes::{add_attributes, get_xattr};

/// How a directory is packed.
#[derive(Clone, Copy)]
pub struct PackOptions<'a> {
    /// The directory is an overlay's upper one: translate its marks to whiteout entries.
    pub overlay: bool,
    /// Paths (relative, `/`-separated) to leave out with everything below them.
    pub skip: &'a dyn Fn(&[u8]) -> bool,
    /// The directory is to be a layer: what is skipped is removed from it.
    pub adopts: bool,
    pub times: Times,
}

/// What times entries get, in seconds (`SOURCE_DATE_EPOCH`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Times {
    #[default]
    Kept,
    /// A later time becomes this one.
    Until(i64),
    All(i64),
}

impl Default for PackOptions<'_> {
    fn default() -> Self {
        Self { overlay: false, skip: &|_| false, adopts: false, times: Times::Kept }
    }
}

/// What was packed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Packed {
    pub entries: u64,
    /// In regular files; those with several names are counted once.
    pub file_bytes: u64,
    /// Some marks of what is removed are by name ([`crate::unpack::marks`]).
    pub marked_by_name: bool,
}

/// Writes everything below `root`, but not `root` itself, as an archive.
pub fn pack(root: &Path, out: &mut dyn Write, options: PackOptions<'_>) -> Result<Packed> {
    let top = File::open(root).map_err(ImageError::io("open", root))?;
    let mut packer = Packer::new(top.into(), out, options);
    if options.adopts {
        add_attributes(&*packer.top, &mut Head::default(), true)
            .map_err(|source| ImageError::Pack { entry: printable(b""), source })?;
    }
    let todo = children(&packer.top, b"").map_err(failed(b""))?;
    packer.walk(todo)?;
    packer.finish()
}

/// Writes the open directory `dir` and everything below it; the archive calls it `name`.
pub fn pack_dir(
    dir: OwnedFd,
    name: &[u8],
    out: &mut dyn Write,
    options: PackOptions<'_>,
) -> Result<Packed> {
    let mut packer = Packer::new(dir, out, options);
    packer.naming = Naming::Below(name.to_vec());
    let top = packer.top().map_err(|source| ImageError::Pack { entry: printable(name), source })?;
    packer.walk(top)?;
    packer.finish()
}

/// Writes what is called `entry` in the open directory `dir`, without what is below it; the
/// archive calls it `name`. What is gone gives an empty archive.
pub fn pack_entry(
    dir: OwnedFd,
    entry: &[u8],
    name: &[u8],
    out: &mut dyn Write,
    options: PackOptions<'_>,
) -> Result<Packed> {
    let mut packer = Packer::new(dir, out, options);
    packer.naming = Naming::Whole(name.to_vec());
    let top = Rc::clone(&packer.top);
    packer
        .entry(entry, &top, entry)
        .map_err(|source| ImageError::Pack { entry: printable(entry), source })?;
    packer.finish()
}

/// What the archive calls things.
enum Naming {
    /// Their path below the top.
    AsIs,
    /// That, below a name for the top.
    Below(Vec<u8>),
    /// All by one name.
    Whole(Vec<u8>),
}

struct Packer<'a, W> {
    top: Rc<OwnedFd>,
    writer: TarWriter<W>,
    options: PackOptions<'a>,
    naming: Naming,
    /// First names of files with several.
    links: HashMap<(u64, u64), Vec<u8>>,
    packed: Packed,
}

impl<'a, 'w> Packer<'a, io::BufWriter<&'w mut dyn Write>> {
    fn new(top: OwnedFd, out: &'w mut dyn Write, options: PackOptions<'a>) -> Self {
        Self {
            top: Rc::new(top),
            writer: TarWriter::new(io::BufWriter::with_capacity(crate::limits::CHUNK_BYTES, out)),
            options,
            naming: Naming::AsIs,
            links: HashMap::new(),
            packed: Packed::default(),
        }
    }
}

impl<W: Write> Packer<'_, W> {
    fn finish(self) -> Result<Packed> {
        let written = self.writer.finish().and_then(|mut out| out.flush());
        written.map_err(|source| ImageError::Pack { entry: "the end".to_owned(), source })?;
        Ok(self.packed)
    }

    /// Writes the entry of the top itself; the paths in it, last first.
    fn top(&mut self) -> io::Result<Vec<Vec<u8>>> {
        let top = Rc::clone(&self.top);
        let stat = rustix::fs::fstat(&top)?;
        self.opened_directory(b"", self.head_of(b"", &stat), &top)
    }

    fn head_of(&self, path: &[u8], stat: &Stat) -> Head {
        let name = match &self.naming {
            Naming::AsIs => path.to_vec(),
            Naming::Whole(name) => name.clone(),
            Naming::Below(name) if path.is_empty() => name.clone(),
            Naming::Below(name) => [name, &b"/"[..], path].concat(),
        };
        Head {
            name,
            mode: stat.st_mode & 0o7777,
            uid: stat.st_uid,
            gid: stat.st_gid,
            mtime: self.time(stat.st_mtime),
            ..Head::default()
        }
    }

    fn time(&self, seconds: i64) -> i64 {
        match self.options.times {
            Times::Kept => seconds,
            Times::Until(latest) => seconds.min(latest),
            Times::All(fixed) => fixed,
        }
    }

    fn walk(&mut self, mut todo: Vec<Vec<u8>>) -> Result<()> {
        let mut parent = (Vec::new(), Rc::clone(&self.top));
        while let Some(path) = todo.pop() {
            let skipped = (self.options.skip)(&path);
            if skipped && !self.options.adopts {
                continue;
            }
            let (dir, name) = crate::tar::split(&path);
            if dir != parent.0 {
                let opened = self.open_dir(dir).map_err(failed(dir))?;
                parent = (dir.to_vec(), Rc::new(opened));
            }
            if skipped {
                remove(&parent.1, name)
                    .map_err(|source| ImageError::Pack { entry: printable(&path), source })?;
                continue;
            }
            let below = match self.entry(&path, &parent.1, name) {
                Ok(below) => below,
                // Removed since its directory was read.
                Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                Err(source) => {
                    return Err(ImageError::Pack { entry: printable(&path), source });
                }
            };
            todo.extend(below);
        }
        Ok(())
    }

    fn open_dir(&self, path: &[u8]) -> std::result::Result<OwnedFd, Errno> {
        if path.is_empty() {
            return openat(&self.top, ".", dir_flags(), Mode::empty());
        }
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        openat2(&self.top, path, dir_flags(), Mode::empty(), resolve)
    }

    /// Writes one entry; for a directory, the paths below it, last first.
    fn entry(&mut self, path: &[u8], parent: &OwnedFd, name: &[u8]) -> io::Result<Vec<Vec<u8>>> {
        let Some(stat) = crate::unpack::lstat(parent, name)? else { return Ok(Vec::new()) };
        let mut head = self.head_of(path, &stat);
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => {
                let dir = openat(parent, name, dir_flags() | OFlags::NOFOLLOW, Mode::empty())?;
                return self.opened_directory(path, head, &dir);
            }
            FileType::RegularFile => return self.file(head, &stat, parent, name).map(|()| vec![]),
            FileType::CharacterDevice if self.options.overlay && is_whiteout(&stat) => {
                return self.whiteout(path, name).map(|()| vec![]);
            }
            FileType::Symlink => {
                head.kind = EntryKind::Symlink;
                head.link = readlinkat(parent, name, Vec::new())?.into_bytes();
            }
            FileType::Fifo => head.kind = EntryKind::Fifo,
            kind @ (FileType::CharacterDevice | FileType::BlockDevice) => {
                let is_char = kind == FileType::CharacterDevice;
                head.kind = if is_char { EntryKind::CharDevice } else { EntryKind::BlockDevice };
                head.device = (rustix::fs::major(stat.st_rdev), rustix::fs::minor(stat.st_rdev));
            }
            _ => return Ok(Vec::new()),
        }
        self.packed.entries += 1;
        self.writer.head(&head)?;
        Ok(Vec::new())
    }

    fn opened_directory(
        &mut self,
        path: &[u8],
        mut head: Head,
        dir: &OwnedFd,
    ) -> io::Result<Vec<Vec<u8>>> {
        head.kind = EntryKind::Directory;
        add_attributes(dir, &mut head, self.options.adopts)?;
        self.packed.entries += 1;
        self.writer.head(&head)?;
        if self.options.overlay && get_xattr(dir, OPAQUE_XATTR)?.as_deref() == Some(b"y") {
            let name = [&head.name[..], b"/", WHITEOUT_OPAQUE].concat();
            self.packed.entries += 1;
            self.writer.head(&Head { name, mode: 0o600, mtime: head.mtime, ..Head::default() })?;
        }
        Ok(children(dir, path)?)
    }

    fn file(
        &mut self,
        mut head: Head,
        stat: &Stat,
        parent: &OwnedFd,
        name: &[u8],
    ) -> io::Result<()> {
        self.packed.entries += 1;
        if self.options.overlay && name.starts_with(WHITEOUT) {
            self.packed.marked_by_name = true;
            head.mtime = 0;
        }
        let inode = (stat.st_dev, stat.st_ino);
        if stat.st_nlink > 1 {
            if let Some(first) = self.links.get(&inode) {
                head.kind = EntryKind::Hardlink;
                head.link.clone_from(first);
                return self.writer.head(&head);
            }
            self.links.insert(inode, head.name.clone());
        }
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let mut file = File::from(openat(parent, name, flags, Mode::empty())?);
        head.size = u64::try_from(stat.st_size).unwrap_or(0);
        add_attributes(&file, &mut head, self.options.adopts)?;
        self.packed.file_bytes += head.size;
        self.writer.file(&head, &mut file)
    }

    /// Without a time: nobody sees it, and what unpacks the mark does not keep it.
    fn whiteout(&mut self, path: &[u8], name: &[u8]) -> io::Result<()> {
        let dir = &path[..path.len() - name.len()];
        let head = Head { name: [dir, WHITEOUT, name].concat(), mode: 0o600, ..Head::default() };
        self.packed.entries += 1;
        self.writer.head(&head)
    }
}

/// Removes an entry; its folder keeps its time, which is in the archive already.
fn remove(parent: &OwnedFd, name: &[u8]) -> io::Result<()> {
    let before = fstat(parent)?;
    let time = |tv_sec, nanos: u64| Timespec { tv_sec, tv_nsec: i64::try_from(nanos).unwrap_or(0) };
    let times = Timestamps {
        last_access: time(before.st_atime, before.st_atime_nsec),
        last_modification: time(before.st_mtime, before.st_mtime_nsec),
    };
    crate::remove_tree::remove_at(parent, name)?;
    Ok(futimens(parent, &times)?)
}

fn dir_flags() -> OFlags {
    OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC
}

/// Paths of a directory's entries, last first, so that they come off a stack in order.
fn children(dir: &OwnedFd, path: &[u8]) -> std::result::Result<Vec<Vec<u8>>, Errno> {
    let mut paths = Vec::new();
    for entry in Dir::read_from(dir)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name == b"." || name == b".." {
            continue;
        }
        paths.push(if path.is_empty() { name.to_vec() } else { [path, b"/", name].concat() });
    }
    paths.sort_unstable_by(|a, b| b.cmp(a));
    Ok(paths)
}

fn failed(path: &[u8]) -> impl FnOnce(Errno) -> ImageError {
    let entry = printable(path);
    move |errno| ImageError::Pack { entry, source: errno.into() }
}
