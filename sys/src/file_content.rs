//! The content of one file copied to a new one.
//!
//! Blocks are shared where the file system can do that, or copied by the kernel. Holes stay holes.

use std::fs::File;
use std::io;

use rustix::fs::{SeekFrom, Stat, seek};
use rustix::io::Errno;

/// All that is in `from`, which is `stat`, to a new file; how many bytes.
///
/// # Errors
/// As `lseek(2)`, `copy_file_range(2)` and `ftruncate(2)`.
pub fn copy_content(from: &File, to: &File, stat: &Stat) -> io::Result<u64> {
    let size = stat.st_size.unsigned_abs();
    if size == 0 || rustix::fs::ioctl_ficlone(to, from).is_ok() {
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
            Err(_) if copied == 0 => {
                return io::copy(&mut io::Read::take(from, size), &mut &*to);
            }
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(copied)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{FileExt, MetadataExt};

    use rustix::fs::fstat;

    use super::*;

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
