//! Features of file systems and devices.

use std::fs;
use std::path::Path;

use rustix::fs::{Mode, OFlags, XattrFlags};
use rustix::io::Errno;

use super::rung::Rung;

const NFS_SUPER_MAGIC: u64 = 0x6969;

/// Whether owners and overlay marks can be kept where images are stored.
pub(super) fn attributes(data: &Path) -> Rung {
    const NAME: &str = "storage";
    let remedy = "keep images on a local file system: set `data-root` or `--data-root` to one";
    let on_nfs = rustix::fs::statfs(data)
        .is_ok_and(|found| u64::try_from(found.f_type) == Ok(NFS_SUPER_MAGIC));
    if on_nfs {
        return Rung::fall_back(
            NAME,
            "files on NFS",
            "overlay file systems and file locks that hold across machines",
            remedy,
        );
    }
    let probe = data.join(format!(".probe-{}", std::process::id()));
    let result =
        fs::write(&probe, "").map_err(|error| Errno::from_io_error(&error)).and_then(|()| {
            rustix::fs::setxattr(&probe, "user.coracle.probe", b"", XattrFlags::empty())
                .map_err(Some)
        });
    // Left behind it would be an empty file; the next probe takes another name.
    drop(fs::remove_file(&probe));
    match result {
        Ok(()) => Rung::have(NAME, format!("{} keeps extended attributes", data.display())),
        Err(errno) => Rung::fall_back(
            NAME,
            format!(
                "{} keeps no extended attributes ({})",
                data.display(),
                errno.map_or_else(|| "unknown error".to_owned(), describe)
            ),
            "owners other than you in images, and overlay file systems",
            remedy,
        ),
    }
}

pub(super) fn fuse() -> Rung {
    const NAME: &str = "fuse";
    match open("/dev/fuse") {
        Ok(()) => Rung::have(NAME, "/dev/fuse can be opened"),
        Err(errno) => Rung::fall_back(
            NAME,
            format!("none: /dev/fuse: {}", describe(errno)),
            "`--device /dev/fuse`; nothing else needs it",
            "as root: `modprobe fuse && chmod 666 /dev/fuse`",
        ),
    }
}

/// An error number in words alone.
pub(super) fn describe(errno: Errno) -> String {
    let text = errno.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

/// Opens a device for reading and writing, and closes it.
pub(super) fn open(path: &str) -> Result<(), Errno> {
    let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK;
    rustix::fs::open(path, flags, Mode::empty()).map(drop)
}

#[cfg(test)]
mod tests {
    use super::super::Answer;
    use super::*;

    #[test]
    fn a_folder_that_is_not_there_keeps_nothing() {
        let rung = attributes(Path::new("/nonexistent"));
        assert!(matches!(rung.answer, Answer::FallBack { .. }), "{rung:?}");
        let here = tempfile::tempdir_in(".").unwrap();
        assert!(matches!(attributes(here.path()).answer, Answer::Have(_)));
        assert_eq!(fs::read_dir(here.path()).unwrap().count(), 0);
    }
}
