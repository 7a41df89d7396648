//! Archives that `ADD` unpacks, and archives that are contexts.
//!
//! # How it works
//!
//! The folder unpacked to is the root of all that the archive names: links lead where they lead in it, and what they
//! lead to is made if it is not there. An entry takes the place of whatever is there, but for folders, which are merged.
//! Folders get their modes and times last, when nothing is put into them any more.
//!
//! # Limits
//!
//! Devices are left out: only the host's root may make them.

mod extractor;

use std::fs::File;
use std::io::{Read, Seek};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;

use coracle_image::store::decoder;
use coracle_image::tar::Reader;
use rustix::fs::{Mode, OFlags};

use self::extractor::Extractor;
use super::error::FilesError;
use super::owner::Owner;
use super::place::{Placement, cleaned, follow, make_folders};
use super::{Copied, Result};

/// Whether a file is an archive, compressed or not: whatever its name is, it has a first entry.
pub(super) fn is_archive(file: &File) -> bool {
    let Ok((_, mut plain)) = decoder(file) else { return false };
    matches!(Reader::new(&mut plain).next_entry(), Ok(Some(_)))
}

/// Unpacks an archive to the destination.
pub(super) fn unpack(
    file: &mut File,
    root: BorrowedFd<'_>,
    placement: &Placement,
    copied: &mut Copied,
) -> Result<()> {
    let destination = follow(root, &cleaned(placement.destination.as_bytes()))?;
    let folders = Placement { mode: None, ..placement.clone() };
    let (top, _) = make_folders(root, &destination, &folders)?;
    let failed = FilesError::io("read", &destination);
    file.rewind().map_err(failed)?;
    let owners = Owners::Theirs { instead: placement.owner, one_id: placement.one_id };
    extract(file, top, owners, copied)
}

/// Unpacks an archive that is a context into an empty folder of the caller's: all that is in it is his.
///
/// # Errors
/// It is no archive or a hostile one, or it cannot be written.
pub fn unpack_context(archive: &mut dyn Read, folder: &Path) -> Result<()> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let path = folder.display().to_string();
    let top = rustix::fs::open(folder, flags, Mode::empty()).map_err(|errno| FilesError::Io {
        doing: "open",
        path,
        source: errno.into(),
    })?;
    extract(archive, top, Owners::Ours, &mut Copied::default())
}

/// Who owns what is unpacked.
#[derive(Clone, Copy)]
enum Owners {
    /// Whom the archive says, or another instead.
    Theirs {
        instead: Option<Owner>,
        one_id: bool,
    },
    Ours,
}

fn extract(
    archive: &mut dyn Read,
    top: OwnedFd,
    owners: Owners,
    copied: &mut Copied,
) -> Result<()> {
    let (_, mut plain) = decoder(archive).map_err(FilesError::io("decompress", b""))?;
    let mut reader = Reader::new(&mut plain);
    let mut extractor = Extractor::new(top, owners);
    while let Some(entry) = reader.next_entry()? {
        extractor.entry(&entry, &mut reader)?;
    }
    copied.files += extractor.entries;
    extractor.finish()
}
