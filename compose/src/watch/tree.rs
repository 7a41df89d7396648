//! Sees what changes in some paths and below them.
//!
//! # How it works
//!
//! inotify watches single folders, so each folder below a path gets a watch, and those that
//! come to be later when they do. A path that is a file, or is not there yet, is seen by its
//! folder: editors replace files, and a folder may come and go.
//!
//! # Limits
//!
//! A folder that appears is searched for what was put into it before the watch was there.
//! When the kernel drops events, everything that is there counts as changed; what was
//! removed meanwhile is not noticed.

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsStr;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::inotify::{self, ReadFlags, WatchFlags};
use rustix::io::Errno;

use super::WatchError;

/// Bytes of events that are read at once.
const BUFFER_BYTES: usize = 16 * 1024;

/// Folders and files below some paths.
pub struct Tree<'a> {
    inotify: OwnedFd,
    folders: HashMap<i32, PathBuf>,
    paths: Vec<PathBuf>,
    /// Folders that nobody cares for.
    skip: &'a dyn Fn(&Path) -> bool,
}

impl std::fmt::Debug for Tree<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tree").field("paths", &self.paths).finish_non_exhaustive()
    }
}

impl<'a> Tree<'a> {
    /// Begins to watch.
    ///
    /// # Errors
    /// When the kernel has no watches left.
    pub fn new(
        paths: impl IntoIterator<Item = PathBuf>,
        skip: &'a dyn Fn(&Path) -> bool,
    ) -> Result<Self, WatchError> {
        let flags = inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK;
        let inotify = inotify::init(flags).map_err(failure(Path::new("files")))?;
        let paths: Vec<PathBuf> = paths.into_iter().collect();
        let mut tree = Self { inotify, folders: HashMap::new(), paths, skip };
        for path in tree.paths.clone() {
            let there = path.ancestors().find(|one| one.is_dir()).unwrap_or(Path::new("/"));
            tree.add(there, &mut BTreeSet::new())?;
        }
        Ok(tree)
    }

    /// What becomes readable with a change.
    #[must_use]
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }

    /// Adds the paths that have changed since the last call.
    ///
    /// # Errors
    /// When the kernel has no watches left.
    pub fn changes(&mut self, changed: &mut BTreeSet<PathBuf>) -> Result<(), WatchError> {
        let mut buffer = [MaybeUninit::uninit(); BUFFER_BYTES];
        let mut events = Vec::new();
        {
            let mut reader = inotify::Reader::new(&self.inotify, &mut buffer);
            loop {
                match reader.next() {
                    Ok(event) => {
                        let name = event.file_name().map(|name| name.to_bytes().to_vec());
                        events.push((event.wd(), event.events(), name));
                    }
                    Err(Errno::AGAIN) => break,
                    Err(Errno::INTR) => {}
                    Err(error) => return Err(failure(Path::new("files"))(error)),
                }
            }
        }
        for (watch, flags, name) in events {
            if flags.contains(ReadFlags::QUEUE_OVERFLOW) {
                for path in self.paths.clone() {
                    self.add(&path, changed)?;
                }
                continue;
            }
            if flags.contains(ReadFlags::IGNORED) {
                self.folders.remove(&watch);
                continue;
            }
            let (Some(folder), Some(name)) = (self.folders.get(&watch), name) else { continue };
            self.event(&folder.join(OsStr::from_bytes(&name)), flags, changed)?;
        }
        Ok(())
    }

    fn event(
        &mut self,
        path: &Path,
        flags: ReadFlags,
        changed: &mut BTreeSet<PathBuf>,
    ) -> Result<(), WatchError> {
        let is_dir = flags.contains(ReadFlags::ISDIR);
        if is_dir && flags.intersects(ReadFlags::CREATE | ReadFlags::MOVED_TO) {
            return self.add(path, changed);
        }
        if is_dir && flags.contains(ReadFlags::MOVED_FROM) {
            self.forget(path);
        }
        if self.is_watched(path) {
            changed.insert(path.to_owned());
        }
        Ok(())
    }

    fn is_watched(&self, path: &Path) -> bool {
        self.paths.iter().any(|root| path.starts_with(root))
    }

    /// Watches a folder and those in it that lead to or lie in what is watched; what is there
    /// counts as changed. A file counts as changed.
    fn add(&mut self, path: &Path, changed: &mut BTreeSet<PathBuf>) -> Result<(), WatchError> {
        let mut next = vec![path.to_owned()];
        while let Some(path) = next.pop() {
            let leads = self.paths.iter().any(|root| root.starts_with(&path));
            if !(leads || self.is_watched(&path)) || (self.skip)(&path) {
                continue;
            }
            if self.is_watched(&path) {
                changed.insert(path.clone());
            }
            if !path.is_dir() || (path.is_symlink() && !self.paths.contains(&path)) {
                continue;
            }
            let wanted = WatchFlags::CREATE
                | WatchFlags::MODIFY
                | WatchFlags::CLOSE_WRITE
                | WatchFlags::DELETE
                | WatchFlags::MOVED_FROM
                | WatchFlags::MOVED_TO
                | WatchFlags::ONLYDIR;
            match inotify::add_watch(&self.inotify, &path, wanted) {
                Ok(watch) => {
                    self.folders.insert(watch, path.clone());
                }
                // It went meanwhile, or is not ours to read.
                Err(Errno::NOENT | Errno::NOTDIR | Errno::ACCESS) => continue,
                Err(error) => return Err(failure(&path)(error)),
            }
            let Ok(entries) = std::fs::read_dir(&path) else { continue };
            next.extend(entries.flatten().map(|entry| entry.path()));
        }
        Ok(())
    }

    /// What was moved away is not seen under its old name any more.
    fn forget(&mut self, path: &Path) {
        let gone: Vec<i32> = self
            .folders
            .iter()
            .filter(|(_, folder)| folder.starts_with(path))
            .map(|(watch, _)| *watch)
            .collect();
        for watch in gone {
            self.folders.remove(&watch);
            // The kernel may have dropped it by itself.
            inotify::remove_watch(&self.inotify, watch).unwrap_or_default();
        }
    }
}

fn failure(path: &Path) -> impl Fn(Errno) -> WatchError + use<> {
    let path = path.display().to_string();
    move |error| WatchError::Kernel { path: path.clone(), source: io::Error::from(error) }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    use super::*;

    /// The names below `base` that changed, once `wanted` is among them.
    fn until(tree: &mut Tree<'_>, base: &Path, wanted: &str) -> Vec<String> {
        let mut changed = BTreeSet::new();
        let deadline = Timespec { tv_sec: 10, tv_nsec: 0 };
        loop {
            let ready = {
                let mut fds = [PollFd::from_borrowed_fd(tree.fd(), PollFlags::IN)];
                poll(&mut fds, Some(&deadline)).unwrap()
            };
            assert!(ready > 0, "{wanted} was not seen: {changed:?}");
            tree.changes(&mut changed).unwrap();
            let names: Vec<String> = changed
                .iter()
                .map(|path| path.strip_prefix(base).unwrap().display().to_string())
                .collect();
            if names.iter().any(|name| name == wanted) {
                return names;
            }
        }
    }

    #[test]
    fn what_happens_in_a_tree_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().to_owned();
        fs::create_dir_all(base.join("src/a")).unwrap();
        fs::create_dir_all(base.join("src/skipped")).unwrap();
        fs::write(base.join("other"), "x").unwrap();
        let skip = |path: &Path| path.ends_with("skipped");
        let mut tree = Tree::new([base.join("src"), base.join("later/x")], &skip).unwrap();

        fs::write(base.join("other"), "y").unwrap();
        fs::write(base.join("src/skipped/no"), "x").unwrap();
        fs::write(base.join("src/a/1"), "x").unwrap();
        assert_eq!(until(&mut tree, &base, "src/a/1"), ["src/a/1"]);

        fs::create_dir_all(base.join("src/b/c")).unwrap();
        fs::write(base.join("src/b/c/2"), "x").unwrap();
        until(&mut tree, &base, "src/b/c/2");
        fs::rename(base.join("src/b"), base.join("src/d")).unwrap();
        until(&mut tree, &base, "src/d/c/2");
        fs::remove_file(base.join("src/d/c/2")).unwrap();
        until(&mut tree, &base, "src/d/c/2");

        fs::create_dir(base.join("later")).unwrap();
        fs::write(base.join("later/x"), "x").unwrap();
        until(&mut tree, &base, "later/x");
        // As editors save.
        fs::write(base.join("later/.x.new"), "y").unwrap();
        fs::rename(base.join("later/.x.new"), base.join("later/x")).unwrap();
        assert_eq!(until(&mut tree, &base, "later/x"), ["later/x"]);
    }
}
