//! Takes out of what a container wrote the places that its start made: they are no part of a layer.
//!
//! # How it works
//!
//! Only the places are looked at, the deepest first. One that is still empty, and that the layers below do not have,
//! goes; so does a folder that was copied up for it, and is what it was. The times of the folder above stay.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use coracle_image::unpack::marks::is_opaque;
use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, ResolveFlags, Stat, Timestamps, openat2, statat,
};
use rustix::io::Errno;

use super::changes::{Below, MADE_BY_US, is_regular, look_below, names, same_meta};

/// Tidies `upper`, which lies on `layers` (lowest first). `made` are places for mounts.
pub(crate) fn tidy(upper: &Path, layers: &[PathBuf], made: &[PathBuf]) -> io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let root = rustix::fs::open(upper, flags, Mode::empty())?;
    let ours = MADE_BY_US.iter().map(Path::new);
    let places = ours.chain(made.iter().flat_map(|place| place.ancestors()));
    let places = places.filter_map(|place| place.strip_prefix("/").ok());
    let places: BTreeSet<&Path> = places.filter(|place| !place.as_os_str().is_empty()).collect();
    // Reversed, what is in a folder comes before it.
    for place in places.into_iter().rev() {
        one(&root, layers, place)?;
    }
    Ok(())
}

fn one(root: &OwnedFd, layers: &[PathBuf], place: &Path) -> io::Result<()> {
    let (Some(folder), Some(name)) = (place.parent(), place.file_name()) else { return Ok(()) };
    let Some((folder, below)) = walk(root, layers, folder)? else { return Ok(()) };
    let stat = match statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => return Ok(()),
        found => found?,
    };
    let is_folder = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
    let goes = match look_below(&below, name)? {
        Below::Nothing if is_folder => names(&open(&folder, Path::new(name))?)?.is_empty(),
        Below::Nothing => is_regular(&stat) && stat.st_size == 0 && stat.st_nlink == 1,
        Below::Directory(old, _) if is_folder && same_meta(&stat, &old) => {
            let inside = open(&folder, Path::new(name))?;
            !is_opaque(inside.as_fd()) && names(&inside)?.is_empty()
        }
        _ => false,
    };
    if goes {
        let before = rustix::fs::fstat(&folder)?;
        let kind = if is_folder { AtFlags::REMOVEDIR } else { AtFlags::empty() };
        rustix::fs::unlinkat(&folder, name, kind)?;
        rustix::fs::futimens(&folder, &times(&before))?;
    }
    Ok(())
}

/// The folder in `root`, if it is there, and those of the layers that show through in it.
fn walk(
    root: &OwnedFd,
    layers: &[PathBuf],
    folder: &Path,
) -> io::Result<Option<(OwnedFd, Vec<PathBuf>)>> {
    let mut here = open(root, Path::new("."))?;
    let mut below: Vec<PathBuf> = layers.iter().rev().cloned().collect();
    for name in folder {
        here = match open(&here, Path::new(name)) {
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Ok(None),
            opened => opened?,
        };
        below = match look_below(&below, name)? {
            Below::Directory(_, folders) if !is_opaque(here.as_fd()) => folders,
            _ => Vec::new(),
        };
    }
    Ok(Some((here, below)))
}

fn open(folder: &OwnedFd, name: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    openat2(folder, name, flags, Mode::empty(), resolve)
}

fn times(stat: &Stat) -> Timestamps {
    let time = |seconds, nanos: u64| rustix::fs::Timespec {
        tv_sec: seconds,
        tv_nsec: nanos.try_into().unwrap_or(0),
    };
    Timestamps {
        last_access: time(stat.st_atime, stat.st_atime_nsec),
        last_modification: time(stat.st_mtime, stat.st_mtime_nsec),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn only_empty_places_that_were_not_there_go() {
        let temp = tempfile::tempdir().unwrap();
        let (upper, layer) = (temp.path().join("upper"), temp.path().join("layer"));
        for folder in ["etc", "root/.cache", "mine"] {
            fs::create_dir_all(layer.join(folder)).unwrap();
        }
        for folder in ["etc", "root/.cache/pip/http", "dev", "mine", "full/sub"] {
            fs::create_dir_all(upper.join(folder)).unwrap();
        }
        fs::write(upper.join("etc/hosts"), "").unwrap();
        fs::write(upper.join("full/file"), "x").unwrap();
        let time = fs::metadata(upper.join("full")).unwrap().mtime_nsec();
        let made = ["/root/.cache/pip/http", "/full/sub"].map(PathBuf::from);
        tidy(&upper, &[layer], &made).unwrap();
        let mut left: Vec<_> =
            fs::read_dir(&upper).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        // What the command made stays, also where it is empty.
        assert_eq!(left, ["full", "mine"]);
        assert!(!upper.join("full/sub").exists() && upper.join("full/file").exists());
        assert_eq!(fs::metadata(upper.join("full")).unwrap().mtime_nsec(), time);
    }
}
