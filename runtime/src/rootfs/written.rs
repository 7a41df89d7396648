//! What a container wrote, as overlayfs would have left it.
//!
//! # How it works
//!
//! With an overlay that is its upper folder. With a copy a temporary folder is made beside
//! it: hard links to what is younger than the copying or not in the image, and marks
//! of removal for what is no longer there. A file's change time cannot be set by a container.
//!
//! # Limits
//!
//! While the folder is there a running container sees one link more on these files.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::ops::Deref;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use coracle_image::unpack::marks;
use coracle_sys::SyscallError;
use coracle_sys::error::Context;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, openat, statat};
use rustix::io::Errno;

use super::copied::{COPY, MARK};
use super::flatten::{c_name, visible};
use super::{Overlay, at, has_copy};
use crate::copy::changes::{Below, look_below, names_below};
use crate::nodes::{Nodes, descriptor_path};
use crate::volumes::remove_tree;

const DEPTH_MAX: usize = 400;
const DIR: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// A folder with what a container wrote; derefs to its path.
#[derive(Debug)]
pub struct Written {
    path: PathBuf,
    temporary: bool,
}

impl Deref for Written {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.path
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        if self.temporary {
            // What is left goes with the container.
            drop(remove_tree(&self.path));
        }
    }
}

impl Overlay {
    /// What the container wrote.
    ///
    /// # Errors
    /// When its files cannot be compared with those of the image.
    pub(crate) fn written(&self) -> Result<Written, SyscallError> {
        if !has_copy(&self.folder) {
            return Ok(Written { path: self.upper.clone(), temporary: false });
        }
        let path = self.folder.join(format!("written.{}", std::process::id()));
        fs::create_dir(&path).call(|| format!("mkdir({})", path.display()))?;
        let written = Written { path, temporary: true };
        let mark = self.folder.join(MARK);
        let made = rustix::fs::stat(&mark).call(|| format!("stat({})", mark.display()))?;
        let copy = self.folder.join(COPY);
        let mut walk = Compare { made: changed(&made), nodes: Nodes::default(), at: copy.clone() };
        walk.start(&copy, &written.path, &visible(&self.layers))
            .map_err(|source| at(&walk.at, source))?;
        Ok(written)
    }
}

/// The names in `folder`, in order.
fn names(folder: &Path) -> io::Result<BTreeSet<OsString>> {
    fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name())).collect()
}

/// When the file last changed in any way.
fn changed(stat: &Stat) -> (i64, u64) {
    (stat.st_ctime, stat.st_ctime_nsec)
}

struct Compare {
    /// When the copy was whole. What changed in that moment counts as changed: comparing
    /// it again does no harm.
    made: (i64, u64),
    nodes: Nodes,
    /// Where we are.
    at: PathBuf,
}

impl Compare {
    fn start(&mut self, copy: &Path, target: &Path, below: &[PathBuf]) -> io::Result<()> {
        let from = rustix::fs::open(copy, DIR, Mode::empty())?;
        let to = rustix::fs::open(target, DIR, Mode::empty())?;
        self.directory(from.as_fd(), to.as_fd(), below, 0)?;
        let stat = rustix::fs::fstat(&from)?;
        self.nodes.attributes(copy, to.as_fd(), c".", &stat)
    }

    /// Returns whether anything was written in here.
    fn directory(
        &mut self,
        from: BorrowedFd<'_>,
        to: BorrowedFd<'_>,
        below: &[PathBuf],
        depth: usize,
    ) -> io::Result<bool> {
        if depth > DEPTH_MAX {
            return Err(Errno::LOOP.into());
        }
        let here = names(&descriptor_path(from, c"."))?;
        let mut any = false;
        for name in &here {
            self.at.push(name);
            any |= self.entry(from, to, name, below, depth)?;
            self.at.pop();
        }
        for name in names_below(below)?.difference(&here) {
            if !matches!(look_below(below, name)?, Below::Nothing) {
                marks::hide(to, name.as_bytes())?;
                any = true;
            }
        }
        Ok(any)
    }

    fn entry(
        &mut self,
        from: BorrowedFd<'_>,
        to: BorrowedFd<'_>,
        name: &OsStr,
        below: &[PathBuf],
        depth: usize,
    ) -> io::Result<bool> {
        let c_name = c_name(name)?;
        let stat = match statat(from, &c_name, AtFlags::SYMLINK_NOFOLLOW) {
            // Removed while we looked.
            Err(Errno::NOENT) => return Ok(false),
            found => found?,
        };
        let under = look_below(below, name)?;
        let touched = changed(&stat) >= self.made;
        if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
            if touched || !matches!(under, Below::File(..)) {
                rustix::fs::linkat(from, &c_name, to, &c_name, AtFlags::empty())?;
                return Ok(true);
            }
            return Ok(false);
        }
        let (known, folders) = match under {
            Below::Directory(_, folders) => (true, folders),
            _ => (false, Vec::new()),
        };
        rustix::fs::mkdirat(to, &c_name, Mode::RWXU)?;
        let inside = openat(from, &c_name, DIR, Mode::empty())?;
        let target = openat(to, &c_name, DIR, Mode::empty())?;
        let any = self.directory(inside.as_fd(), target.as_fd(), &folders, depth + 1)?;
        if known && !any && !touched {
            rustix::fs::unlinkat(to, &c_name, AtFlags::REMOVEDIR)?;
            return Ok(false);
        }
        self.nodes.attributes(&descriptor_path(from, &c_name), to, &c_name, &stat)?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::copy::changes::changes;
    use crate::model::Storage;

    fn container(temp: &Path) -> Overlay {
        for dir in ["layers/a/diff/etc", "layers/a/diff/usr/bin", "c/upper", "c/work"] {
            fs::create_dir_all(temp.join(dir)).unwrap();
        }
        let image = temp.join("layers/a/diff");
        for file in ["etc/kept", "etc/edited", "etc/gone", "usr/bin/tool"] {
            fs::write(image.join(file), file).unwrap();
        }
        let folder = temp.join("c");
        let (upper, work) = (folder.join("upper"), folder.join("work"));
        let layers = vec![image];
        Overlay { layers, folder, upper, work, volatile: false, storage: Storage::Copy }
    }

    #[test]
    fn differences_of_a_copy() {
        let temp = tempfile::tempdir().unwrap();
        let overlay = container(temp.path());
        let copy = temp.path().join("c/copy");
        overlay.make_copy(&copy).unwrap();
        let shown = |overlay: &Overlay| -> Vec<String> {
            let written = overlay.written().unwrap();
            changes(&written, &overlay.layers, &BTreeSet::new())
                .unwrap()
                .iter()
                .map(|change| format!("{} {}", change.kind.letter(), change.path.display()))
                .collect()
        };
        assert_eq!(shown(&overlay), Vec::<String>::new());

        fs::write(copy.join("etc/edited"), "another text").unwrap();
        fs::remove_file(copy.join("etc/gone")).unwrap();
        fs::create_dir(copy.join("new")).unwrap();
        fs::write(copy.join("new/file"), "x").unwrap();
        fs::set_permissions(copy.join("usr/bin/tool"), fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(
            shown(&overlay),
            [
                "C /etc",
                "C /etc/edited",
                "D /etc/gone",
                "A /new",
                "A /new/file",
                "C /usr",
                "C /usr/bin",
                "C /usr/bin/tool",
            ]
        );
        let left: Vec<_> = fs::read_dir(temp.path().join("c")).unwrap().collect();
        assert_eq!(left.len(), 4, "{left:?}");
    }
}
