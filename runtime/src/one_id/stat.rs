//! What `stat` and `statx` write, byte by byte, with another owner in it. Pure.

use rustix::fs::{Stat, Statx, StatxTimestamp};

#[derive(Default)]
struct Bytes(Vec<u8>);

impl Bytes {
    fn u16(&mut self, value: u16) {
        self.0.extend(value.to_ne_bytes());
    }
    fn u32(&mut self, value: u32) {
        self.0.extend(value.to_ne_bytes());
    }
    fn u64(&mut self, value: u64) {
        self.0.extend(value.to_ne_bytes());
    }
    fn i64(&mut self, value: i64) {
        self.0.extend(value.to_ne_bytes());
    }
    fn times(&mut self, stat: &Stat) {
        for (seconds, nanoseconds) in [
            (stat.st_atime, stat.st_atime_nsec),
            (stat.st_mtime, stat.st_mtime_nsec),
            (stat.st_ctime, stat.st_ctime_nsec),
        ] {
            self.i64(seconds);
            self.u64(u64::from(u32::try_from(nanoseconds).unwrap_or(0)));
        }
    }
    fn timestamp(&mut self, time: StatxTimestamp) {
        self.i64(time.tv_sec);
        self.u32(time.tv_nsec);
        self.u32(0);
    }
}

/// `struct stat` of x86-64 (`asm/stat.h`).
#[cfg(target_arch = "x86_64")]
pub(super) fn stat_bytes(stat: &Stat, owner: (u32, u32)) -> Vec<u8> {
    let mut out = Bytes::default();
    out.u64(stat.st_dev);
    out.u64(stat.st_ino);
    out.u64(stat.st_nlink);
    out.u32(stat.st_mode);
    out.u32(owner.0);
    out.u32(owner.1);
    out.u32(0);
    out.u64(stat.st_rdev);
    out.i64(stat.st_size);
    out.i64(stat.st_blksize);
    out.i64(stat.st_blocks);
    out.times(stat);
    out.0.resize(144, 0);
    out.0
}

/// `struct stat` of arm64 (`asm-generic/stat.h`).
#[cfg(target_arch = "aarch64")]
pub(super) fn stat_bytes(stat: &Stat, owner: (u32, u32)) -> Vec<u8> {
    let mut out = Bytes::default();
    out.u64(stat.st_dev);
    out.u64(stat.st_ino);
    out.u32(stat.st_mode);
    out.u32(u32::try_from(stat.st_nlink).unwrap_or(u32::MAX));
    out.u32(owner.0);
    out.u32(owner.1);
    out.u64(stat.st_rdev);
    out.u64(0);
    out.i64(stat.st_size);
    out.u32(u32::try_from(stat.st_blksize).unwrap_or(4096));
    out.u32(0);
    out.i64(stat.st_blocks);
    out.times(stat);
    out.0.resize(128, 0);
    out.0
}

/// `struct statx` (`linux/stat.h`), the same everywhere.
pub(super) fn statx_bytes(stat: &Statx, owner: (u32, u32)) -> Vec<u8> {
    let mut out = Bytes::default();
    out.u32(stat.stx_mask);
    out.u32(stat.stx_blksize);
    out.u64(stat.stx_attributes.bits());
    out.u32(stat.stx_nlink);
    out.u32(owner.0);
    out.u32(owner.1);
    out.u16(stat.stx_mode);
    out.u16(0);
    out.u64(stat.stx_ino);
    out.u64(stat.stx_size);
    out.u64(stat.stx_blocks);
    out.u64(stat.stx_attributes_mask.bits());
    out.timestamp(stat.stx_atime);
    out.timestamp(stat.stx_btime);
    out.timestamp(stat.stx_ctime);
    out.timestamp(stat.stx_mtime);
    out.u32(stat.stx_rdev_major);
    out.u32(stat.stx_rdev_minor);
    out.u32(stat.stx_dev_major);
    out.u32(stat.stx_dev_minor);
    out.u64(stat.stx_mnt_id);
    out.u32(stat.stx_dio_mem_align);
    out.u32(stat.stx_dio_offset_align);
    out.0.resize(256, 0);
    out.0
}

#[cfg(test)]
mod tests {
    use rustix::fs::{AtFlags, CWD, StatxFlags};

    use super::*;

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn fields_are_where_the_kernel_puts_them() {
        let stat = rustix::fs::stat("/").unwrap();
        let bytes = stat_bytes(&stat, (42, 43));
        assert_eq!(bytes.len(), size_of::<Stat>());
        assert_eq!(&bytes[28..36], [42, 0, 0, 0, 43, 0, 0, 0]);
        assert_eq!(bytes[8..16], stat.st_ino.to_ne_bytes());
        assert_eq!(bytes[88..96], stat.st_mtime.to_ne_bytes());
    }

    #[test]
    fn statx_is_256_bytes_with_the_owner_at_20() {
        let stat = rustix::fs::statx(CWD, "/", AtFlags::empty(), StatxFlags::ALL).unwrap();
        let bytes = statx_bytes(&stat, (42, 43));
        assert_eq!(bytes.len(), 256);
        assert_eq!(&bytes[20..28], [42, 0, 0, 0, 43, 0, 0, 0]);
        assert_eq!(bytes[28..30], stat.stx_mode.to_ne_bytes());
        assert_eq!(bytes[32..40], stat.stx_ino.to_ne_bytes());
        assert_eq!(bytes[140..144], stat.stx_dev_minor.to_ne_bytes());
    }
}
