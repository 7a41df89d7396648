//! The data of one entry to a file, with its holes.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;

use super::error::UnpackError;
use super::meta::failed;
use crate::tar::{Entry, Reader, SparseMap};

/// Bytes moved at once from the archive to a file.
pub(super) const COPY_BYTES: usize = 128 * 1024;

/// Writes the data of `entry`, which was read last, to the empty `file`; its size.
pub fn write_content(
    data: &mut Reader<'_>,
    entry: &Entry,
    file: &mut File,
    buffer: &mut [u8],
) -> Result<u64, UnpackError> {
    if let Some(map) = &entry.sparse {
        write_sparse(data, entry, map, file, buffer)?;
        return Ok(map.size);
    }
    loop {
        let n = data.read_data(buffer)?;
        if n == 0 {
            return Ok(entry.size);
        }
        file.write_all(&buffer[..n]).map_err(failed("write", entry))?;
    }
}

fn write_sparse(
    data: &mut Reader<'_>,
    entry: &Entry,
    map: &SparseMap,
    file: &File,
    buffer: &mut [u8],
) -> Result<(), UnpackError> {
    file.set_len(map.size).map_err(failed("resize", entry))?;
    for segment in &map.segments {
        let (mut at, mut left) = (segment.offset, segment.len);
        while left > 0 {
            let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
            let n = data.read_data(&mut buffer[..wanted])?;
            if n == 0 {
                let why = "its sparse map does not fit the stored data".to_owned();
                return Err(UnpackError::Refused { entry: entry.shown(), why });
            }
            file.write_all_at(&buffer[..n], at).map_err(failed("write", entry))?;
            at += n as u64;
            left -= n as u64;
        }
    }
    Ok(())
}
