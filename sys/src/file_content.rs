//! The content of one file copied to a new one.
//!
//! Blocks are shared where the file system can do that, or copied by the kernel. Holes stay holes. A small file is read
//! and written: that takes less than to find out what the file system can do.

use std::fs::File;
use std::io::{self, Read, Write};

use rustix::fs::{SeekFrom, Stat, seek, sendfile};
use rustix::io::Errno;

/// Files of so many bytes are small.
const SMALL: usize = 16 * 1024;

/// All that is in `from`, which is `stat`, to a new file; how many bytes.
///
/// # Errors
/// As `lseek(2)`, `copy_file_range(2)` and `ftruncate(2)`.
pub fn copy_content(from: &File, to: &File, stat: &Stat) -> io::Result<u64> {
    let size = stat.st_size.unsigned_abs();
    if size <= SMALL as u64 {
        return copy_small(from, to, size);
    }
    if rustix::fs::ioctl_ficlone(to, from).is_ok() {
        return Ok(size);
    }
    if stat.st_blocks.unsigned_abs().saturating_mul(512) >= size {
        return copy_range(from, to, size);
    }
    let (mut at, mut copied) = (0, 0);
    while at < size {
        let data = match seek(from, SeekFrom::Data(at)) {
            // Nothing but a hole is left.
            Err(Errno::NXIO) => break,
            // A file system that knows no holes.
            Err(Errno::INVAL | Errno::NOTSUP) => at,
            found => found?,
        };
        let end = seek(from, SeekFrom::Hole(data)).unwrap_or(size).min(size);
        seek(from, SeekFrom::Start(data))?;
        seek(to, SeekFrom::Start(data))?;
        let count = copy_range(from, to, end.saturating_sub(data))?;
        if count == 0 {
            // It became shorter meanwhile.
            break;
        }
        copied += count;
        at = data + count;
    }
    to.set_len(size)?;
    Ok(copied)
}

/// As many bytes as are there, from where both files are.
fn copy_range(from: &File, to: &File, size: u64) -> io::Result<u64> {
    let mut copied = 0;
    while copied < size {
        let wanted = usize::try_from(size - copied).unwrap_or(usize::MAX).min(1 << 30);
        match rustix::fs::copy_file_range(from, None, to, None, wanted) {
            Ok(0) => break,
            Ok(count) => copied += count as u64,
            Err(Errno::INTR) => {}
            // Between file systems, or where there is no such call.
            Err(_) if copied == 0 => return send(from, to, size),
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(copied)
}

/// The same by a way that is open between all file systems.
fn send(from: &File, to: &File, size: u64) -> io::Result<u64> {
    let mut sent = 0;
    while sent < size {
        let wanted = usize::try_from(size - sent).unwrap_or(usize::MAX).min(1 << 30);
        match sendfile(to, from, None, wanted) {
            Ok(0) => break,
            Ok(count) => sent += count as u64,
            Err(Errno::INTR) => {}
            Err(_) if sent == 0 => return io::copy(&mut Read::take(from, size), &mut &*to),
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(sent)
}

/// The first bytes of a file, at most [`SMALL`].
fn copy_small(mut from: &File, mut to: &File, size: u64) -> io::Result<u64> {
    let mut bytes = [0; SMALL];
    let wanted = usize::try_from(size).unwrap_or(SMALL).min(SMALL);
    let mut got = 0;
    while got < wanted {
        match from.read(&mut bytes[got..wanted]) {
            Ok(0) => break,
            Ok(count) => got += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    to.write_all(&bytes[..got])?;
    Ok(got as u64)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{FileExt, MetadataExt};

    use rustix::fs::fstat;

    use super::*;

    #[test]
    fn files_of_all_sizes_are_copied() {
        let temp = tempfile::tempdir().unwrap();
        for size in [0, 1, SMALL, SMALL + 1, 300_000] {
            let content: Vec<u8> = (0..=250u8).cycle().take(size).collect();
            let (from, to) = (temp.path().join("from"), temp.path().join("to"));
            std::fs::write(&from, &content).unwrap();
            let from = File::open(from).unwrap();
            let new = File::create(&to).unwrap();
            assert_eq!(copy_content(&from, &new, &fstat(&from).unwrap()).unwrap(), size as u64);
            assert_eq!(std::fs::read(&to).unwrap(), content, "{size}");
            let from = File::open(temp.path().join("from")).unwrap();
            let new = File::create(&to).unwrap();
            assert_eq!(send(&from, &new, size as u64).unwrap(), size as u64);
            assert_eq!(std::fs::read(&to).unwrap(), content, "sent {size}");
        }
    }

    #[test]
    fn holes_stay_holes() {
        let temp = tempfile::tempdir().unwrap();
        let file = File::create_new(temp.path().join("sparse")).unwrap();
        file.write_all_at(b"tail", 64 << 20).unwrap();
        file.set_len(128 << 20).unwrap();
        let from = File::open(temp.path().join("sparse")).unwrap();
        let to = File::create_new(temp.path().join("copy")).unwrap();
        copy_content(&from, &to, &fstat(&from).unwrap()).unwrap();
        let copy = std::fs::metadata(temp.path().join("copy")).unwrap();
        assert_eq!(copy.len(), 128 << 20);
        assert!(copy.blocks() * 512 < 1 << 20, "{} blocks", copy.blocks());
        let mut tail = [0; 5];
        let copy = File::open(temp.path().join("copy")).unwrap();
        copy.read_exact_at(&mut tail, 64 << 20).unwrap();
        assert_eq!(&tail, b"tail\0");
    }
}
