//! Makes ready what is mounted for a volume.
//!
//! A volume in memory is one tmpfs on `_data`, in the mount namespace that all containers
//! of the user share; so they share the content. It is gone when nobody uses it: whoever has
//! it mounted shares a lock on a file beside it, and the last one to let go of that takes the
//! mount away, under the lock under which it is mounted.

use std::ffi::CString;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use coracle_image::unpack::OWNER_XATTR;
use rustix::fs::{Mode, OFlags, ResolveFlags, XattrFlags};
use rustix::io::Errno;
use rustix::mount::{MountFlags, UnmountFlags};

use super::{Source, Volume, VolumeError, Volumes};
use crate::file_lock::{self, FileLock, Share};

/// Words of `mount -o` that are flags of the call rather than options of the file system.
const FLAGS: [(&str, MountFlags); 10] = [
    ("ro", MountFlags::RDONLY),
    ("nosuid", MountFlags::NOSUID),
    ("nodev", MountFlags::NODEV),
    ("noexec", MountFlags::NOEXEC),
    ("sync", MountFlags::SYNCHRONOUS),
    ("dirsync", MountFlags::DIRSYNC),
    ("noatime", MountFlags::NOATIME),
    ("nodiratime", MountFlags::NODIRATIME),
    ("relatime", MountFlags::RELATIME),
    ("strictatime", MountFlags::STRICTATIME),
];

/// Words that ask for what is so anyway.
const NO_EFFECT: [&str; 7] = ["rw", "suid", "dev", "exec", "async", "atime", "defaults"];

/// What to bind into a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    pub path: PathBuf,
    pub read_only: bool,
}

/// Keeps a volume in memory mounted, for as long as it is kept.
#[derive(Debug)]
pub(crate) struct Hold {
    _shared: FileLock,
}

impl Volumes {
    /// Makes a volume ready to be bound into a container that starts.
    ///
    /// # Errors
    /// When there is none, or what its options ask for cannot be had.
    pub(crate) fn attach(&self, name: &str) -> Result<(Attached, Option<Hold>), VolumeError> {
        // Or two containers that start would both mount it.
        let _lock = self.lock()?;
        let volume = self.get(name)?;
        let attached = attach(&volume)?;
        let hold = is_in_memory(&volume).then(|| users(&volume, Share::WithOthers)).transpose()?;
        Ok((attached, hold.map(|shared| Hold { _shared: shared })))
    }

    /// Ends what [`Volumes::attach`] began, unless somebody else holds the volume. Whoever calls
    /// this has let go of its own hold.
    ///
    /// # Errors
    /// When a mount cannot be taken away.
    pub(crate) fn release(&self, name: &str) -> Result<(), VolumeError> {
        let _lock = self.lock()?;
        let volume = self.get(name)?;
        if !is_in_memory(&volume) {
            return Ok(());
        }
        match users(&volume, Share::Alone) {
            Ok(_nobody_else) => unmount(&volume),
            Err(VolumeError::Busy { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// Takes the lock of those who use a volume in memory, without waiting: it is shared by all of
/// them, and had alone only under the lock of the volumes.
fn users(volume: &Volume, share: Share) -> Result<FileLock, VolumeError> {
    let path = volume.data.with_file_name("in-use");
    let file = file_lock::open(&path, true).map_err(VolumeError::io("open", &path))?;
    let taken = file_lock::take_as(share, file, Duration::ZERO);
    taken.map_err(VolumeError::lock(&format!("volume {} is", volume.name), &path, Duration::ZERO))
}

fn is_in_memory(volume: &Volume) -> bool {
    let source = Source::parse(&volume.name, volume.options.as_ref());
    matches!(source, Ok(Source::Tmpfs { .. }))
}

fn attach(volume: &Volume) -> Result<Attached, VolumeError> {
    let failed = |source| VolumeError::Mount { name: volume.name.clone(), source };
    let own = Attached { path: volume.data.clone(), read_only: false };
    match Source::parse(&volume.name, volume.options.as_ref())? {
        Source::Folder => Ok(own),
        Source::Bind { device, read_only } => {
            fs::metadata(&device).map_err(failed)?;
            Ok(Attached { path: device, read_only })
        }
        Source::Tmpfs { options } => {
            if !is_mounted(&volume.data).map_err(failed)? {
                mount_tmpfs(&volume.data, &options).map_err(failed)?;
            }
            Ok(own)
        }
    }
}

impl Volume {
    /// Opens (O_PATH) what is at `subpath` inside the volume; no symlink leads out of it.
    ///
    /// A descriptor, not a path: a container that has the volume may put a symlink in its
    /// place at any time.
    ///
    /// # Errors
    /// When there is none.
    pub fn subpath(&self, subpath: &Path) -> Result<OwnedFd, VolumeError> {
        open_beneath(&self.data, subpath)
    }
}

/// Opens (O_PATH) what is at `subpath` inside the folder `root`; no symlink leads out of it.
pub(crate) fn open_beneath(root: &Path, subpath: &Path) -> Result<OwnedFd, VolumeError> {
    let resolve = || -> io::Result<OwnedFd> {
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        let root = rustix::fs::open(root, flags | OFlags::DIRECTORY, Mode::empty())?;
        loop {
            let resolve = ResolveFlags::BENEATH;
            match rustix::fs::openat2(&root, subpath, flags, Mode::empty(), resolve) {
                // Something was renamed elsewhere meanwhile; the kernel asks to try again.
                Err(Errno::AGAIN | Errno::INTR) => {}
                outcome => return Ok(outcome?),
            }
        }
    };
    let path = root.join(subpath);
    resolve().map_err(|source| VolumeError::Subpath { path, source })
}

pub(super) fn detach(volume: &Volume) -> Result<(), VolumeError> {
    if is_in_memory(volume) { unmount(volume) } else { Ok(()) }
}

/// Takes away what is mounted for a volume, whatever its options were.
pub(super) fn unmount(volume: &Volume) -> Result<(), VolumeError> {
    let failed = |source| VolumeError::Mount { name: volume.name.clone(), source };
    if is_mounted(&volume.data).map_err(failed)? {
        rustix::mount::unmount(&volume.data, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW)
            .map_err(|errno| failed(errno.into()))?;
    }
    Ok(())
}

/// Whether something is mounted on a directory of ours.
fn is_mounted(dir: &Path) -> io::Result<bool> {
    let parent = dir.parent().unwrap_or(Path::new("/"));
    Ok(fs::symlink_metadata(dir)?.dev() != fs::symlink_metadata(parent)?.dev())
}

fn mount_tmpfs(dir: &Path, options: &str) -> io::Result<()> {
    let (flags, data) = split_options(options);
    let mount = |data: String| {
        let data = CString::new(data)?;
        Ok(rustix::mount::mount("tmpfs", dir, "tmpfs", flags, data.as_c_str())?)
    };
    match split_owner(data.split(',')) {
        // Only root is mapped: who else is to have it goes on record.
        (rest, Some((uid, gid))) if crate::start::launch_plan::mapped_ids() == 1 => {
            mount(rest.join(","))?;
            let owner = format!("{uid}:{gid}");
            // Before Linux 6.6 a tmpfs keeps no records: then it seems to be root's.
            rustix::fs::setxattr(dir, OWNER_XATTR, owner.as_bytes(), XattrFlags::empty()).ok();
            Ok(())
        }
        _ => mount(data),
    }
}

/// Takes `uid=` and `gid=` out of the options of a tmpfs; those that are no numbers stay.
pub(crate) fn split_owner<'a>(
    options: impl Iterator<Item = &'a str>,
) -> (Vec<&'a str>, Option<(u32, u32)>) {
    let (mut uid, mut gid) = (None, None);
    let rest = options
        .filter(|option| {
            let number = |text: &str| text.parse::<u32>().ok().filter(|id| *id != u32::MAX);
            let (slot, id) = match option.split_once('=') {
                Some(("uid", text)) => (&mut uid, number(text)),
                Some(("gid", text)) => (&mut gid, number(text)),
                _ => return true,
            };
            *slot = id.or(*slot);
            id.is_none()
        })
        .collect();
    let owner = (uid.is_some() || gid.is_some()).then(|| (uid.unwrap_or(0), gid.unwrap_or(0)));
    (rest, owner)
}

fn split_options(options: &str) -> (MountFlags, String) {
    let mut flags = MountFlags::empty();
    let mut data = Vec::new();
    for word in options.split(',').filter(|word| !word.is_empty()) {
        if let Some((_, flag)) = FLAGS.iter().find(|(name, _)| *name == word) {
            flags |= *flag;
        } else if !NO_EFFECT.contains(&word) {
            data.push(word);
        }
    }
    (flags, data.join(","))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use super::{MountFlags, VolumeError, attach, split_options, split_owner};
    use crate::volumes::Volume;

    fn volume(dir: &Path, options: &[(&str, &str)]) -> Volume {
        let options: BTreeMap<_, _> =
            options.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect();
        Volume {
            name: "v1".to_owned(),
            created: Default::default(),
            labels: None,
            options: Some(options).filter(|options| !options.is_empty()),
            data: dir.join("_data"),
            owner: None,
        }
    }

    #[test]
    fn folders_and_directories_of_the_host() {
        let temp = tempfile::tempdir().unwrap();
        let own = attach(&volume(temp.path(), &[])).unwrap();
        assert_eq!((own.path, own.read_only), (temp.path().join("_data"), false));
        let device = temp.path().to_str().unwrap();
        let options = [("type", "none"), ("o", "bind,ro"), ("device", device)];
        let host = attach(&volume(temp.path(), &options)).unwrap();
        assert_eq!((host.path, host.read_only), (temp.path().to_owned(), true));
        let options = [("type", "none"), ("o", "bind"), ("device", "/no/such")];
        let error = attach(&volume(temp.path(), &options)).unwrap_err();
        assert_eq!(error.to_string(), "failed to mount local volume v1");
    }

    #[test]
    fn subpaths_stay_inside() {
        let temp = tempfile::tempdir().unwrap();
        let volume = volume(temp.path(), &[]);
        fs::create_dir_all(volume.data.join("sub/deep")).unwrap();
        symlink("sub", volume.data.join("inside")).unwrap();
        symlink("/etc", volume.data.join("outside")).unwrap();
        let read = |path| {
            let found = volume.subpath(Path::new(path))?;
            Ok::<_, VolumeError>(
                fs::read_link(format!("/proc/self/fd/{}", found.as_raw_fd())).unwrap(),
            )
        };
        assert_eq!(read("sub/deep").unwrap(), volume.data.join("sub/deep"));
        assert_eq!(read("inside/deep").unwrap(), volume.data.join("sub/deep"));
        for bad in ["outside", "../x", "absent"] {
            let error = read(bad).unwrap_err().to_string();
            assert_eq!(error, format!("cannot access path {}", volume.data.join(bad).display()));
        }
    }

    #[test]
    fn flags_and_options_are_told_apart() {
        assert_eq!(
            split_options("size=1m,noexec,rw,uid=7"),
            (MountFlags::NOEXEC, "size=1m,uid=7".to_owned())
        );
        assert_eq!(split_options(""), (MountFlags::empty(), String::new()));
        let split = |text: &'static str| split_owner(text.split(','));
        assert_eq!(split("size=1m,uid=7"), (vec!["size=1m"], Some((7, 0))));
        assert_eq!(split("gid=5,uid=x,mode=700"), (vec!["uid=x", "mode=700"], Some((0, 5))));
        assert_eq!(split("size=1m"), (vec!["size=1m"], None));
    }
}
