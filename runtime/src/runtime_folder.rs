//! Where sockets, locks and mount points of what runs now are: `run` in the data root.
//!
//! # How it works
//!
//! One data root has one runtime folder, whatever the environment of a command says: a
//! login session's folder comes and goes, another shell has another, cron has none.
//!
//! Where the data root's file system cannot hold it (no sockets, no locks, no modes: found
//! out by trying, the first time), `run` is a symbolic link to a private folder elsewhere.
//! The link is the record: later commands follow it, and make the folder anew when it is
//! gone, as `/tmp` is after a reboot.

use std::fs::{self, DirBuilder, Metadata};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, Mode, OFlags};

use crate::identity::present;
use crate::paths::{PathError, check, make_private};

/// The folder's name in the data root.
pub(crate) const NAME: &str = "run";

/// The runtime folder of the data root `data`, made if it is missing; `uid` must own it.
pub(crate) fn open(data: &Path, uid: u32) -> Result<PathBuf, PathError> {
    open_with(data, uid, &elsewhere(uid))
}

/// The runtime folder if it is there.
pub fn find(data: &Path) -> Option<PathBuf> {
    let door = data.join(NAME);
    let folder = fs::read_link(&door).unwrap_or(door);
    folder.is_dir().then_some(folder)
}

fn open_with(data: &Path, uid: u32, places: &[PathBuf]) -> Result<PathBuf, PathError> {
    let door = data.join(NAME);
    let failed = |source| PathError::Create { path: door.clone(), source };
    let meta = match present(fs::symlink_metadata(&door)).map_err(failed)? {
        Some(meta) => meta,
        None => {
            make(&door, data, uid, places)?;
            fs::symlink_metadata(&door).map_err(failed)?
        }
    };
    if meta.is_symlink() {
        return follow(&door, &meta, uid);
    }
    check(&door, &meta, uid, 0o077)?;
    Ok(door)
}

/// The folder that the link leads to, which may be in `/tmp`, where others can make things.
fn follow(door: &Path, link: &Metadata, uid: u32) -> Result<PathBuf, PathError> {
    if link.uid() != uid {
        return Err(PathError::ForeignOwner { path: door.to_owned(), owner: link.uid() });
    }
    let failed = |source| PathError::Create { path: door.to_owned(), source };
    let target = fs::read_link(door).map_err(failed)?;
    if !target.is_absolute() {
        return Err(PathError::NotADirectory { path: door.to_owned() });
    }
    let failed = |source| PathError::Create { path: target.clone(), source };
    if present(fs::symlink_metadata(&target)).map_err(failed)?.is_none() {
        make_private(&target)?;
    }
    check(&target, &fs::symlink_metadata(&target).map_err(failed)?, uid, 0o077)?;
    Ok(target)
}

/// Makes the folder, or the link to one. Whoever is second takes what is there.
fn make(door: &Path, data: &Path, uid: u32, places: &[PathBuf]) -> Result<(), PathError> {
    let made = match Candidate::make(data, uid) {
        Ok(tried) => {
            drop(tried);
            DirBuilder::new().mode(0o700).create(door)
        }
        Err(refused) => {
            let kept = places.iter().find_map(|place| Candidate::make(place, uid).ok());
            let Some(mut kept) = kept else {
                return Err(PathError::Create { path: door.to_owned(), source: refused });
            };
            symlink(&kept.folder, door).inspect(|()| kept.keep = true)
        }
    };
    match made {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(PathError::Create { path: door.to_owned(), source: error })
        }
        _ => Ok(()),
    }
}

/// Where it can be when the data root cannot hold it. A login session's folder is not the
/// first choice: it is unmounted at logout, and mounted anew where nobody sees it.
fn elsewhere(uid: u32) -> Vec<PathBuf> {
    let session = format!("/run/user/{uid}");
    ["/tmp", "/var/tmp", session.as_str(), "/dev/shm", "/run"].map(PathBuf::from).to_vec()
}

/// A private folder that was seen to hold sockets and locks; removed again unless kept.
struct Candidate {
    folder: PathBuf,
    keep: bool,
}

impl Candidate {
    fn make(place: &Path, uid: u32) -> io::Result<Self> {
        let mut bytes = [0u8; 8];
        getrandom::fill(&mut bytes).map_err(io::Error::other)?;
        let name = format!("coracle-{uid}-{:016x}", u64::from_ne_bytes(bytes));
        let made = Self { folder: place.join(name), keep: false };
        DirBuilder::new().mode(0o700).create(&made.folder)?;
        made.check(uid)?;
        Ok(made)
    }

    fn check(&self, uid: u32) -> io::Result<()> {
        let meta = fs::symlink_metadata(&self.folder)?;
        if meta.uid() != uid || meta.mode() & 0o777 != 0o700 {
            return Err(io::Error::other("it has no owners and modes of its own"));
        }
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = rustix::fs::open(&self.folder, flags, Mode::empty())?;
        // Through a descriptor: the path may be too long for an address.
        drop(UnixListener::bind(format!("/proc/self/fd/{}/socket", fd.as_raw_fd()))?);
        let lock = fs::File::create(self.folder.join("lock"))?;
        Ok(rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive)?)
    }
}

impl Drop for Candidate {
    fn drop(&mut self) {
        for name in ["socket", "lock"] {
            drop(fs::remove_file(self.folder.join(name)));
        }
        if !self.keep {
            drop(fs::remove_dir(&self.folder));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    struct World {
        temp: tempfile::TempDir,
        uid: u32,
    }

    impl World {
        fn new() -> Self {
            let temp = tempfile::tempdir().unwrap();
            fs::create_dir(temp.path().join("data")).unwrap();
            fs::create_dir(temp.path().join("place")).unwrap();
            let uid = fs::metadata(temp.path()).unwrap().uid();
            Self { temp, uid }
        }

        fn path(&self, name: &str) -> PathBuf {
            self.temp.path().join(name)
        }

        fn open(&self) -> Result<PathBuf, PathError> {
            open_with(&self.path("data"), self.uid, &[self.path("no"), self.path("place")])
        }
    }

    #[test]
    fn it_is_in_the_data_root() {
        let world = World::new();
        assert_eq!(find(&world.path("data")), None);
        for _ in 0..2 {
            assert_eq!(world.open().unwrap(), world.path("data/run"));
        }
        assert_eq!(find(&world.path("data")), Some(world.path("data/run")));
        assert_eq!(fs::metadata(world.path("data/run")).unwrap().mode() & 0o777, 0o700);
        assert_eq!(fs::read_dir(world.path("data")).unwrap().count(), 1, "the probe is gone");
    }

    #[test]
    fn a_data_root_that_cannot_hold_it_has_a_link() {
        let world = World::new();
        // No file system without sockets is at hand: the probe fails on a folder that is not there.
        make(&world.path("data/run"), &world.path("no"), world.uid, &[world.path("place")])
            .unwrap();
        let target = world.open().unwrap();
        assert_eq!(target.parent(), Some(world.path("place").as_path()));
        assert_eq!(fs::read_dir(&target).unwrap().count(), 0, "the probe is gone");
        fs::remove_dir(&target).unwrap();
        assert_eq!(world.open().unwrap(), target, "made anew where the link leads");
        assert_eq!(fs::metadata(&target).unwrap().mode() & 0o777, 0o700);
        fs::remove_dir(&target).unwrap();
        symlink(world.path("place"), &target).unwrap();
        let error = world.open().unwrap_err();
        assert!(matches!(error, PathError::NotADirectory { .. }), "{error}");
    }

    #[test]
    fn a_folder_open_to_others_is_refused() {
        let world = World::new();
        let run = world.open().unwrap();
        fs::set_permissions(&run, fs::Permissions::from_mode(0o777)).unwrap();
        let error = world.open().unwrap_err();
        assert!(matches!(error, PathError::OpenToOthers { .. }), "{error}");
    }
}
