//! Where an image archive's files come from: a tar in a file, or a directory.
//!
//! A stream, or a compressed file, is written to the store's `tmp` first, since its
//! parts are needed in another order than they come in. Links inside a tar are
//! followed within it; a directory is read beneath its root.

use std::cell::Cell;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::path::Path;

use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};

use crate::error::{ImageError, Result};
use crate::limits::CHUNK_BYTES;
use crate::store::{Compression, Store, decoder};
use crate::tar::{EntryKind, Reader, clean, split};

/// Links to links that are followed.
const LINKS_MAX: usize = 16;

/// The files of an image archive by name.
pub(crate) enum Source {
    Tar { file: File, members: HashMap<Vec<u8>, Member> },
    Directory(OwnedFd),
}

pub(crate) enum Member {
    File { at: u64, len: u64 },
    Link(Vec<u8>),
}

impl Source {
    /// An archive that comes as a stream, compressed or not.
    pub(super) fn from_stream(store: &Store, stream: &mut dyn Read) -> Result<Self> {
        let path = store.tmp_path("archive")?;
        let mut file = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path)
            .map_err(ImageError::io("create", &path))?;
        // The open file is enough; so nothing is left whatever happens.
        std::fs::remove_file(&path).map_err(ImageError::io("remove", &path))?;
        let unreadable = |source| ImageError::ArchiveData { source };
        let (_, mut plain) = decoder(stream).map_err(unreadable)?;
        let mut buffer = vec![0; CHUNK_BYTES];
        loop {
            let n = match plain.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) => n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(unreadable(e)),
            };
            io::Write::write_all(&mut file, &buffer[..n])
                .map_err(ImageError::io("write", &path))?;
        }
        Self::from_tar(file)
    }

    /// An archive in a file: used in place unless it is compressed.
    pub(super) fn from_file(store: &Store, mut file: File) -> Result<Self> {
        let mut head = [0; 6];
        let n = file.read_at(&mut head, 0).unwrap_or(0);
        if Compression::detect(&head[..n]) == Compression::None
            && file.metadata().is_ok_and(|meta| meta.is_file())
            && file.seek(SeekFrom::Start(0)).is_ok()
        {
            return Self::from_tar(file);
        }
        Self::from_stream(store, &mut file)
    }

    pub(crate) fn from_dir(path: &Path) -> Result<Self> {
        let open = File::open(path).map_err(ImageError::io("open", path))?;
        Ok(Self::Directory(open.into()))
    }

    fn from_tar(file: File) -> Result<Self> {
        let members = index(&file)?;
        Ok(Self::Tar { file, members })
    }

    /// Opens a file; `None` when the archive has none of this name.
    pub(crate) fn open(&self, name: &str) -> Result<Option<Box<dyn Read + '_>>> {
        let fail = |source| ImageError::ArchiveEntry { entry: name.to_owned(), source };
        match self {
            Self::Tar { file, members } => {
                let Some((at, len)) = locate(members, name) else { return Ok(None) };
                Ok(Some(Box::new(Positioned { file, at }.take(len))))
            }
            Self::Directory(root) => {
                let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
                let beneath = ResolveFlags::BENEATH;
                match openat2(root, name, flags, Mode::empty(), beneath) {
                    Ok(fd) => {
                        let file = File::from(fd);
                        if !file.metadata().map_err(fail)?.is_file() {
                            return Err(fail(io::Error::other("it is no regular file")));
                        }
                        Ok(Some(Box::new(file)))
                    }
                    Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => Ok(None),
                    Err(errno) => Err(fail(errno.into())),
                }
            }
        }
    }

    /// Reads a small file whole.
    pub(crate) fn read(&self, name: &str, bytes_max: usize) -> Result<Option<Vec<u8>>> {
        let Some(file) = self.open(name)? else { return Ok(None) };
        let mut bytes = Vec::new();
        let limit = bytes_max as u64;
        file.take(limit + 1)
            .read_to_end(&mut bytes)
            .map_err(|source| ImageError::ArchiveEntry { entry: name.to_owned(), source })?;
        if bytes.len() > bytes_max {
            let what = format!("`{name}` in the archive");
            return Err(ImageError::TooLarge { what, bytes: bytes.len() as u64, limit });
        }
        Ok(Some(bytes))
    }
}

/// Finds where each file of a tar is.
fn index(file: &File) -> Result<HashMap<Vec<u8>, Member>> {
    let mut members = HashMap::new();
    let position = Cell::new(0);
    let buffered = BufReader::with_capacity(CHUNK_BYTES, Positioned { file, at: 0 });
    let mut tracked = Tracked { inner: buffered, position: &position };
    let mut reader = Reader::new(&mut tracked);
    while let Some(entry) =
        reader.next_entry().map_err(|source| ImageError::ArchiveTar { source })?
    {
        let Ok(name) = clean(&entry.name) else { continue };
        let member = match entry.kind {
            EntryKind::File if entry.sparse.is_none() => {
                Member::File { at: position.get(), len: entry.size }
            }
            EntryKind::Hardlink => match clean(&entry.link) {
                Ok(target) => Member::Link(target),
                Err(_) => continue,
            },
            EntryKind::Symlink => {
                let base: &[u8] = if entry.link.starts_with(b"/") { b"" } else { split(&name).0 };
                match clean(&[base, b"/", &entry.link].concat()) {
                    Ok(target) => Member::Link(target),
                    Err(_) => continue,
                }
            }
            _ => continue,
        };
        members.insert(name, member);
    }
    Ok(members)
}

fn locate(members: &HashMap<Vec<u8>, Member>, name: &str) -> Option<(u64, u64)> {
    let mut name = clean(name.as_bytes()).ok()?;
    for _ in 0..LINKS_MAX {
        match members.get(&name)? {
            Member::File { at, len } => return Some((*at, *len)),
            Member::Link(target) => name.clone_from(target),
        }
    }
    None
}

/// Reads a file from a place of its own, so that several readers may share it.
struct Positioned<'a> {
    file: &'a File,
    at: u64,
}

impl Read for Positioned<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read_at(buf, self.at)?;
        self.at += n as u64;
        Ok(n)
    }
}

/// Tells how far reading has come.
struct Tracked<'a, R> {
    inner: R,
    position: &'a Cell<u64>,
}

impl<R: Read> Read for Tracked<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.position.set(self.position.get() + n as u64);
        Ok(n)
    }
}
