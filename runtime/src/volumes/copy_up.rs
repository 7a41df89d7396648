//! Fills an empty volume with what the image has where the volume is mounted.
//!
//! # How it works
//!
//! The kernel resolves the image's path beneath the container's root; from there on every
//! step opens one name and follows no symlink. Owners, modes, extended attributes, times
//! and hard links are kept; a volume in memory keeps the mode and the owner that its options
//! name. A file appears under its name when it is whole.
//!
//! A mark beside the volume says that it is being filled. Whoever finds the mark later goes
//! on where the other was killed, and adds only what is missing: a container may have used
//! the volume meanwhile.
//!
//! # Limits
//!
//! Directories [`DEPTH_MAX`] deep. Device nodes are left out where we may not make them.

use std::collections::HashMap;
use std::ffi::{CStr, CString, OsStr};
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{
    AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, Stat, openat, openat2, statat,
};
use rustix::io::Errno;

use super::{Source, Volume, VolumeError};
use crate::file_lock;
use crate::nodes::{Nodes, descriptor_path};

/// How long another container that fills the same volume is waited for.
const PATIENCE: Duration = Duration::from_secs(600);
/// Two descriptors are open on each level.
const DEPTH_MAX: usize = 200;
/// Name of a file that is not whole yet.
const PART: &CStr = c".coracle-copy-up";
/// Mark beside `_data` while it is filled.
const MARK: &str = "filling";

/// Fills `target`, what [`super::Volumes::attach`] gave for `volume`, from the directory `inside` of
/// the root filesystem mounted at `root`. False: there was nothing to do, because the volume
/// has content or the image has no such directory.
///
/// # Errors
/// When the image cannot be read or the volume not written.
pub fn copy_up(
    volume: &Volume,
    target: &Path,
    root: &Path,
    inside: &Path,
) -> Result<bool, VolumeError> {
    let folder = volume.data.parent().unwrap_or(Path::new("/"));
    let mut copier =
        Copier { to: None, links: HashMap::new(), at: PathBuf::new(), nodes: Nodes::default() };
    copier.fill(volume, folder, target, root, inside).map_err(|source| VolumeError::CopyUp {
        name: volume.name.clone(),
        path: inside.join(&copier.at),
        source,
    })
}

struct Copier {
    /// The volume, once it is open.
    to: Option<OwnedFd>,
    /// Where the files with several names went, by their identity in the image.
    links: HashMap<(u64, u64), PathBuf>,
    /// Where we are.
    at: PathBuf,
    nodes: Nodes,
}

impl Copier {
    fn fill(
        &mut self,
        volume: &Volume,
        folder: &Path,
        target: &Path,
        root: &Path,
        inside: &Path,
    ) -> io::Result<bool> {
        let lock = file_lock::take(File::open(folder)?.into(), PATIENCE);
        let _lock = lock.map_err(|error| error.into_io(PATIENCE))?;
        let mark = folder.join(MARK);
        let to = rustix::fs::open(target, DIR_FLAGS, Mode::empty())?;
        if !mark.exists() && !names(&to)?.is_empty() {
            return Ok(false);
        }
        let root = rustix::fs::open(root, DIR_FLAGS, Mode::empty())?;
        let from = loop {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            match openat2(&root, inside, flags, Mode::empty(), ResolveFlags::IN_ROOT) {
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(Errno::NOENT | Errno::NOTDIR) => return Ok(false),
                outcome => break outcome?,
            }
        };
        File::create(&mark)?;
        let stat = chosen(volume, rustix::fs::fstat(&from)?, &rustix::fs::fstat(&to)?);
        let top = to.try_clone()?;
        let owner = chosen_record(volume, from.as_fd(), to.as_fd());
        self.to = Some(to);
        self.directory(from.as_fd(), top.as_fd(), &stat, 0)?;
        if let Some(owner) = owner {
            crate::one_id::record_owner(top.as_fd(), owner)?;
        }
        fs::remove_file(&mark)?;
        Ok(true)
    }

    /// Copies content and attributes of a directory into one that exists.
    fn directory(
        &mut self,
        from: BorrowedFd<'_>,
        to: BorrowedFd<'_>,
        stat: &Stat,
        depth: usize,
    ) -> io::Result<()> {
        if depth > DEPTH_MAX {
            return Err(Errno::LOOP.into());
        }
        for name in names(from)? {
            self.at.push(OsStr::from_bytes(name.to_bytes()));
            let stat = statat(from, &name, AtFlags::SYMLINK_NOFOLLOW)?;
            if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
                match rustix::fs::mkdirat(to, &name, Mode::RWXU) {
                    Ok(()) | Err(Errno::EXIST) => {}
                    Err(errno) => return Err(errno.into()),
                }
                let from = openat(from, &name, DIR_FLAGS, Mode::empty())?;
                let to = openat(to, &name, DIR_FLAGS, Mode::empty())?;
                self.directory(from.as_fd(), to.as_fd(), &stat, depth + 1)?;
            } else if let Err(Errno::NOENT) = statat(to, &name, AtFlags::SYMLINK_NOFOLLOW) {
                self.file(from, to, &name, &stat)?;
            }
            self.at.pop();
        }
        self.nodes.attributes(&descriptor_path(from, c"."), to, c".", stat)
    }

    /// Copies what is no directory.
    fn file(
        &mut self,
        from: BorrowedFd<'_>,
        to: BorrowedFd<'_>,
        name: &CStr,
        stat: &Stat,
    ) -> io::Result<()> {
        let identity = (stat.st_dev, stat.st_ino);
        if stat.st_nlink > 1 {
            if let Some(first) = self.links.get(&identity) {
                return self.link(first, to, name);
            }
            self.links.insert(identity, self.at.clone());
        }
        match rustix::fs::unlinkat(to, PART, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(errno) => return Err(errno.into()),
        }
        if !self.nodes.copy(from, name, to, PART, stat)? {
            return Ok(());
        }
        Ok(rustix::fs::renameat(to, PART, to, name)?)
    }

    /// Gives the copy at `first` another name.
    fn link(&self, first: &Path, to: BorrowedFd<'_>, name: &CStr) -> io::Result<()> {
        let top = self.to.as_ref().ok_or(io::ErrorKind::NotFound)?;
        let (Some(parent), Some(file)) = (first.parent(), first.file_name()) else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
        // A container that uses the volume might have put a symlink in the way.
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let parent = openat2(top, parent, flags, Mode::empty(), resolve)?;
        Ok(rustix::fs::linkat(&parent, file, to, name, AtFlags::empty())?)
    }
}

/// What the volume's own folder gets: `image`, or what it has where its options name that.
fn chosen(volume: &Volume, mut image: Stat, own: &Stat) -> Stat {
    let source = Source::parse(&volume.name, volume.options.as_ref());
    let Ok(Source::Tmpfs { options }) = source else { return image };
    for option in options.split(',') {
        match option.split_once('=') {
            Some(("mode", _)) => image.st_mode = own.st_mode,
            Some(("uid", _)) => image.st_uid = own.st_uid,
            Some(("gid", _)) => image.st_gid = own.st_gid,
            _ => {}
        }
    }
    image
}

/// The owner on record of the volume's own folder, where only one id is mapped and its options
/// name one; what they do not name is the image's.
fn chosen_record(volume: &Volume, from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> Option<(u32, u32)> {
    let source = Source::parse(&volume.name, volume.options.as_ref());
    let Ok(Source::Tmpfs { options }) = source else { return None };
    if crate::start::launch_plan::mapped_ids() != 1 {
        return None;
    }
    let names = |id: &str| options.split(',').any(|option| option.starts_with(id));
    let record = |folder| crate::one_id::recorded_owner(folder).unwrap_or((0, 0));
    let (image, own) = (record(from), record(to));
    let uid = if names("uid=") { own.0 } else { image.0 };
    let gid = if names("gid=") { own.1 } else { image.1 };
    (names("uid=") || names("gid=")).then_some((uid, gid))
}

const DIR_FLAGS: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Names in a directory.
fn names(dir: impl AsFd) -> io::Result<Vec<CString>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        // A file that another attempt did not finish is not content.
        if name != c"." && name != c".." && name != PART {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    use std::path::{Path, PathBuf};
    use std::time::{Duration, SystemTime};

    use super::{MARK, copy_up};
    use crate::volumes::Volume;

    struct World {
        temp: tempfile::TempDir,
        volume: Volume,
    }

    impl World {
        fn new() -> Self {
            let temp = tempfile::tempdir().unwrap();
            let data = temp.path().join("v/_data");
            fs::create_dir_all(&data).unwrap();
            fs::create_dir_all(temp.path().join("root/data/sub")).unwrap();
            let volume = Volume {
                name: "v".to_owned(),
                created: Default::default(),
                labels: None,
                options: None,
                data,
                owner: None,
            };
            Self { temp, volume }
        }

        fn image(&self, path: &str) -> PathBuf {
            self.temp.path().join("root").join(path)
        }

        fn data(&self, path: &str) -> PathBuf {
            self.volume.data.join(path)
        }

        fn copy(&self, inside: &str) -> bool {
            let root = self.temp.path().join("root");
            copy_up(&self.volume, &self.volume.data, &root, Path::new(inside)).unwrap()
        }
    }

    #[test]
    fn everything_about_files_is_kept() {
        let world = World::new();
        let old = SystemTime::UNIX_EPOCH + Duration::from_nanos(1_234_567_890_123_456_789);
        fs::write(world.image("data/one"), "one\n").unwrap();
        fs::hard_link(world.image("data/one"), world.image("data/sub/two")).unwrap();
        symlink("one", world.image("data/lnk")).unwrap();
        fs::set_permissions(world.image("data/one"), Permissions::from_mode(0o4640)).unwrap();
        fs::File::open(world.image("data/one")).unwrap().set_modified(old).unwrap();
        fs::set_permissions(world.image("data"), Permissions::from_mode(0o750)).unwrap();
        fs::File::open(world.image("data")).unwrap().set_modified(old).unwrap();
        let flags = rustix::fs::XattrFlags::empty();
        let path = world.image("data/one");
        let xattrs = rustix::fs::setxattr(&path, "user.note", b"hi", flags).is_ok();

        assert!(world.copy("/data"));

        assert_eq!(fs::read_to_string(world.data("one")).unwrap(), "one\n");
        let one = fs::metadata(world.data("one")).unwrap();
        assert_eq!(one.mode() & 0o7777, 0o4640);
        assert_eq!(one.modified().unwrap(), old);
        assert_eq!(one.ino(), fs::metadata(world.data("sub/two")).unwrap().ino());
        assert_eq!(fs::read_link(world.data("lnk")).unwrap(), Path::new("one"));
        let top = fs::metadata(world.data("")).unwrap();
        assert_eq!((top.mode() & 0o7777, top.modified().unwrap()), (0o750, old));
        if xattrs {
            let mut value = [0; 8];
            let length =
                rustix::fs::getxattr(world.data("one"), "user.note", &mut value[..]).unwrap();
            assert_eq!(&value[..length], b"hi");
        }
        assert!(!world.temp.path().join("v").join(MARK).exists());
    }

    #[test]
    fn owners_are_kept() {
        if !rustix::process::geteuid().is_root() {
            eprintln!("skipped: owners need root");
            return;
        }
        let world = World::new();
        fs::write(world.image("data/one"), "").unwrap();
        std::os::unix::fs::chown(world.image("data/one"), Some(1000), Some(1001)).unwrap();
        std::os::unix::fs::chown(world.image("data"), Some(7), Some(8)).unwrap();
        assert!(world.copy("/data"));
        let owner = |path| {
            let meta = fs::metadata(world.data(path)).unwrap();
            (meta.uid(), meta.gid())
        };
        assert_eq!((owner("one"), owner("")), ((1000, 1001), (7, 8)));
    }

    #[test]
    fn a_volume_with_content_is_left_alone() {
        let world = World::new();
        fs::write(world.data("mine"), "").unwrap();
        fs::write(world.image("data/one"), "").unwrap();
        assert!(!world.copy("/data"));
        assert!(!world.data("one").exists());
    }

    #[test]
    fn symlinks_of_the_image_stay_inside_it() {
        let world = World::new();
        fs::create_dir_all(world.image("etc")).unwrap();
        fs::write(world.image("etc/inside"), "").unwrap();
        symlink("/etc", world.image("link")).unwrap();
        symlink("../../../../../../etc", world.image("dots")).unwrap();
        assert!(world.copy("/link"));
        assert_eq!(fs::read_dir(world.data("")).unwrap().count(), 1);
        assert!(world.data("inside").exists());
        let world = World::new();
        assert!(!world.copy("/dots"), "there is no /etc in this image");
        fs::write(world.image("file"), "").unwrap();
        assert!(!world.copy("/file"));
        assert!(!world.copy("/absent"));
    }

    #[test]
    fn an_interrupted_copy_goes_on_and_replaces_nothing() {
        let world = World::new();
        fs::write(world.image("data/one"), "one").unwrap();
        fs::write(world.image("data/two"), "two").unwrap();
        fs::write(world.image("data/sub/three"), "three").unwrap();
        fs::write(world.temp.path().join("v").join(MARK), "").unwrap();
        fs::write(world.data("one"), "changed since").unwrap();
        fs::write(world.data(".coracle-copy-up"), "tw").unwrap();
        assert!(world.copy("/data"));
        assert_eq!(fs::read_to_string(world.data("one")).unwrap(), "changed since");
        assert_eq!(fs::read_to_string(world.data("two")).unwrap(), "two");
        assert_eq!(fs::read_to_string(world.data("sub/three")).unwrap(), "three");
        assert!(!world.data(".coracle-copy-up").exists());
        assert!(!world.copy("/data"));
    }
}
