//! The names in a folder, sorted, in one piece of memory.

use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;

use rustix::fs::RawDir;
use rustix::io::Errno;

/// Bytes of directory entries read at once.
const BUFFER_BYTES: usize = 32 * 1024;

pub(super) struct Listing {
    /// Each with its NUL.
    names: Vec<u8>,
    starts: Vec<u32>,
}

impl Listing {
    pub(super) fn read(folder: BorrowedFd<'_>) -> Result<Self, Errno> {
        let mut names: Vec<u8> = Vec::new();
        let mut starts = Vec::new();
        let mut buffer = [MaybeUninit::<u8>::uninit(); BUFFER_BYTES];
        let mut entries = RawDir::new(folder, &mut buffer);
        while let Some(entry) = entries.next() {
            let entry = match entry {
                // The folder is gone, and so is what was in it.
                Err(Errno::NOENT) => break,
                entry => entry?,
            };
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            starts.push(u32::try_from(names.len()).map_err(|_| Errno::OVERFLOW)?);
            names.extend_from_slice(name.to_bytes_with_nul());
        }
        starts.sort_unstable_by(|a, b| name_at(&names, *a).cmp(name_at(&names, *b)));
        Ok(Self { names, starts })
    }

    pub(super) fn len(&self) -> usize {
        self.starts.len()
    }

    pub(super) fn get(&self, index: usize) -> &CStr {
        name_at(&self.names, self.starts[index])
    }
}

fn name_at(names: &[u8], start: u32) -> &CStr {
    // Each was written with its NUL.
    CStr::from_bytes_until_nul(&names[start as usize..]).unwrap_or_default()
}
