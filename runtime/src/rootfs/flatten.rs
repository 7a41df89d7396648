//! Copy a stack of layers into one directory.
//!
//! Each directory is merged from the layers that show through at its place, so nothing is
//! copied that a higher layer hides. Hard links within a layer stay links.
//!
//! # Limits
//!
//! Directories [`DEPTH_MAX`] deep: one descriptor is open on each level.

use std::collections::HashMap;
use std::ffi::{CString, OsStr};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use coracle_image::unpack::marks::is_opaque_at;
use coracle_sys::SyscallError;
use rustix::fs::{AtFlags, Mode, OFlags, Stat, openat};
use rustix::io::Errno;

use super::at;
use crate::copy::changes::{Below, look_below, names_below};
use crate::nodes::Nodes;

const DEPTH_MAX: usize = 400;
const DIR: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Copies `layers`, lowest first, into the empty directory `target`.
pub(super) fn flatten(layers: &[PathBuf], target: &Path) -> Result<(), SyscallError> {
    let mut walk =
        Flatten { top: None, links: HashMap::new(), at: PathBuf::new(), nodes: Nodes::default() };
    let layers = visible(layers);
    walk.start(&layers, target).map_err(|source| at(&walk.at, source))
}

/// The folders that show through at the root, highest first.
pub(super) fn visible(layers: &[PathBuf]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for layer in layers.iter().rev() {
        found.push(layer.clone());
        if is_opaque_at(layer) {
            break;
        }
    }
    found
}

struct Flatten {
    /// The directory all goes to, once it is open.
    top: Option<OwnedFd>,
    /// Where the files with several names went, by their identity in the layer.
    links: HashMap<(u64, u64), PathBuf>,
    /// Where we are.
    at: PathBuf,
    nodes: Nodes,
}

impl Flatten {
    fn start(&mut self, layers: &[PathBuf], target: &Path) -> io::Result<()> {
        let to = rustix::fs::open(target, DIR, Mode::empty())?;
        self.top = Some(to.try_clone()?);
        self.directory(layers, to.as_fd(), 0)?;
        let Some(highest) = layers.first() else { return Ok(()) };
        let stat = rustix::fs::lstat(highest)?;
        self.nodes.attributes(highest, to.as_fd(), c".", &stat)
    }

    fn directory(&mut self, below: &[PathBuf], to: BorrowedFd<'_>, depth: usize) -> io::Result<()> {
        if depth > DEPTH_MAX {
            return Err(Errno::LOOP.into());
        }
        for name in names_below(below)? {
            self.at.push(&name);
            match look_below(below, &name)? {
                Below::Nothing => {}
                Below::File(stat, place) => self.file(&place, to, &name, &stat)?,
                Below::Directory(stat, folders) => {
                    let c_name = c_name(&name)?;
                    rustix::fs::mkdirat(to, &c_name, Mode::RWXU)?;
                    let inside = openat(to, &c_name, DIR, Mode::empty())?;
                    self.directory(&folders, inside.as_fd(), depth + 1)?;
                    self.nodes.attributes(&folders[0], to, &c_name, &stat)?;
                }
            }
            self.at.pop();
        }
        Ok(())
    }

    fn file(
        &mut self,
        place: &Path,
        to: BorrowedFd<'_>,
        name: &OsStr,
        stat: &Stat,
    ) -> io::Result<()> {
        let c_name = c_name(name)?;
        let identity = (stat.st_dev, stat.st_ino);
        if stat.st_nlink > 1 {
            if let (Some(first), Some(top)) = (self.links.get(&identity), &self.top) {
                return Ok(rustix::fs::linkat(top, first, to, &c_name, AtFlags::empty())?);
            }
            self.links.insert(identity, self.at.clone());
        }
        let parent = place.parent().unwrap_or(Path::new("/"));
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let from = rustix::fs::open(parent, flags, Mode::empty())?;
        self.nodes.copy(from.as_fd(), &c_name, to, &c_name, stat)?;
        Ok(())
    }
}

pub(super) fn c_name(name: &OsStr) -> io::Result<CString> {
    Ok(CString::new(name.as_bytes())?)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use super::*;

    #[test]
    fn higher_layers_hide_and_add() {
        let temp = tempfile::tempdir().unwrap();
        let (low, high, target) =
            (temp.path().join("low"), temp.path().join("high"), temp.path().join("target"));
        for dir in ["low/kept", "low/hidden/deep", "high/kept", "high/hidden", "target"] {
            fs::create_dir_all(temp.path().join(dir)).unwrap();
        }
        fs::write(low.join("kept/a"), "low").unwrap();
        fs::write(low.join("kept/b"), "low").unwrap();
        fs::hard_link(low.join("kept/b"), low.join("kept/c")).unwrap();
        fs::write(low.join("hidden/gone"), "low").unwrap();
        fs::write(high.join("kept/a"), "high").unwrap();
        fs::write(high.join("hidden/new"), "high").unwrap();
        symlink("../kept", high.join("hidden/link")).unwrap();
        fs::set_permissions(high.join("kept"), fs::Permissions::from_mode(0o1750)).unwrap();
        let flags = rustix::fs::XattrFlags::empty();
        let opaque = coracle_image::unpack::OPAQUE_XATTR;
        rustix::fs::setxattr(high.join("hidden"), opaque, b"y", flags).unwrap();

        flatten(&[low, high], &target).unwrap();

        let text = |name: &str| fs::read_to_string(target.join(name)).unwrap();
        assert_eq!((text("kept/a"), text("kept/b")), ("high".to_owned(), "low".to_owned()));
        let inode = |name: &str| fs::metadata(target.join(name)).unwrap().ino();
        assert_eq!(inode("kept/b"), inode("kept/c"));
        assert_eq!(fs::metadata(target.join("kept")).unwrap().mode() & 0o7777, 0o1750);
        assert_eq!(fs::read_link(target.join("hidden/link")).unwrap(), Path::new("../kept"));
        let mut names: Vec<_> = fs::read_dir(target.join("hidden"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        assert_eq!(names, ["link", "new"]);
        let marks = rustix::fs::listxattr(target.join("hidden"), &mut [0u8; 256][..]).unwrap();
        assert_eq!(marks, 0);
    }

    #[test]
    fn marks_by_name_hide_what_is_below_and_nothing_of_their_own_layer() {
        let temp = tempfile::tempdir().unwrap();
        let at = |name: &str| temp.path().join(name);
        for dir in [
            "low/gone",
            "low/again",
            "low/emptied",
            "low/.wh.dir",
            "top/again",
            "top/emptied",
            "target",
        ] {
            fs::create_dir_all(at(dir)).unwrap();
        }
        for file in ["low/file", "low/gone/x", "low/again/old", "low/emptied/old", "low/.wh.dir/x"]
        {
            fs::write(at(file), "low").unwrap();
        }
        for file in ["top/again/new", "top/emptied/new"] {
            fs::write(at(file), "top").unwrap();
        }
        for mark in ["file", "gone", "again", "nothing", "emptied/.wh..opq"] {
            let (folder, name) = mark.rsplit_once('/').unwrap_or(("", mark));
            fs::write(at("top").join(folder).join(format!(".wh.{name}")), "").unwrap();
        }

        flatten(&[at("low"), at("top")], &at("target")).unwrap();

        let found: Vec<_> = names_below(&[at("target"), at("target/again"), at("target/emptied")])
            .unwrap()
            .into_iter()
            .collect();
        assert_eq!(found, [".wh.dir", "again", "emptied", "new"]);
    }
}
