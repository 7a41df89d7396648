//! An archive into a directory of a container or of the host.
//!
//! # How it works
//!
//! Each entry's parent is resolved by the kernel: in a container beneath its root, so that
//! symlinks lead where they lead inside; on the host beneath the target, through no symlink
//! at all. The last part is never followed: what is there is replaced, but for directories,
//! which are kept, and files that are mount points, which are written. A file that cannot be
//! written whole is taken away.
//!
//! # Limits
//!
//! Device nodes are skipped: a user namespace cannot make working ones.

use std::collections::BTreeMap;
use std::fs::{File, Permissions};
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;

use coracle_image::tar::{Entry, EntryKind, Reader, clean, split};
use coracle_image::unpack::{OWNER_XATTR, UnpackError, write_content};
use rustix::fs::{
    AtFlags, FileType, Gid, Mode, OFlags, ResolveFlags, Stat, Timespec, Timestamps, Uid,
    XattrFlags, chownat, fsetxattr, linkat, mkdirat, mknodat, openat, openat2, statat, symlinkat,
    unlinkat, utimensat,
};
use rustix::io::Errno;

use super::CopyError;
use super::rights::UserRights;

type Result<T> = std::result::Result<T, CopyError>;

/// A step of the work: how we name it inside a container, and how Docker does on the host.
#[derive(Clone, Copy)]
struct Step {
    doing: &'static str,
    call: &'static str,
}

const REACH: Step = Step { doing: "reach", call: "open" };
const LOOK: Step = Step { doing: "look at", call: "lstat" };
const REPLACE: Step = Step { doing: "replace", call: "unlinkat" };
const CREATE: Step = Step { doing: "create", call: "open" };
const MAKE_DIR: Step = Step { doing: "create", call: "mkdir" };
const MAKE_SYMLINK: Step = Step { doing: "create", call: "symlink" };
const MAKE_FIFO: Step = Step { doing: "create", call: "mkfifo" };
const OPEN: Step = Step { doing: "open", call: "open" };
const WRITE: Step = Step { doing: "write", call: "write" };
const LINK: Step = Step { doing: "link", call: "link" };
const OWNER: Step = Step { doing: "set the owner of", call: "lchown" };
const MODE: Step = Step { doing: "set the mode of", call: "chmod" };
const TIME: Step = Step { doing: "set the time of", call: "chtimes" };

/// Bytes moved at once from the archive to a file.
const COPY_BYTES: usize = 128 * 1024;

/// The id that stands for all that have none in this user namespace.
const UNMAPPED_ID: u64 = 65534;

/// Mode of directories the archive uses without listing them.
const IMPLIED_MODE: u32 = 0o755;

/// Who owns what is extracted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owners {
    /// Whom the archive says.
    Kept,
    /// The same, and root for whom this user namespace does not know.
    KeptOrRoot,
    /// Who extracts.
    Ours,
}

/// Where to extract to.
pub(super) struct Target {
    pub(super) root: OwnedFd,
    /// The directory below `root`, without a slash before it.
    pub(super) dir: Vec<u8>,
    /// How the kernel resolves parents.
    pub(super) resolve: ResolveFlags,
    pub(super) owners: Owners,
    /// Attributes and set-id bits are kept: it is a container, or the user wants all.
    pub(super) faithful: bool,
    /// For messages.
    pub(super) shown: String,
    /// It is a folder of the host.
    pub(super) on_host: bool,
}

/// Extracts everything.
pub(super) fn extract(archive: &mut dyn Read, target: &Target) -> Result<()> {
    // With the owners too, what is below may be those of subordinate ids, whom we may act for.
    let as_user = target.on_host && target.owners == Owners::Ours;
    let _rights = as_user.then(UserRights::take).transpose()?;
    let mut reader = Reader::new(archive);
    let mut extractor = Extractor {
        target,
        as_user,
        buffer: vec![0; COPY_BYTES],
        folders: BTreeMap::new(),
        last: None,
    };
    while let Some(entry) = reader.next_entry()? {
        extractor.entry(&entry, &mut reader)?;
    }
    extractor.finish()
}

struct Extractor<'a> {
    target: &'a Target,
    /// With the rights of the user: a folder's mode may forbid us to write into it.
    as_user: bool,
    buffer: Vec<u8>,
    /// Directories by path: what is set when nothing is written into them any more.
    folders: BTreeMap<Vec<u8>, Folder>,
    /// The parent used last.
    last: Option<(Vec<u8>, std::rc::Rc<OwnedFd>)>,
}

/// What a directory is to have at last.
struct Folder {
    mode: Option<Mode>,
    mtime: (i64, u32),
}

impl Extractor<'_> {
    /// An error of a step, about the path below the target.
    fn failed<E: Into<io::Error>>(&self, step: Step, path: &[u8]) -> impl FnOnce(E) -> CopyError {
        let full = self.target.on_host.then(|| self.full(path));
        let path = path.to_vec();
        move |error| match full {
            Some(full) => CopyError::host(step.call, full)(error.into()),
            None => CopyError::entry(step.doing, &path)(error),
        }
    }

    /// The target itself takes nothing that the user may not put there.
    fn rights_at(&self, path: &[u8]) -> Result<Option<UserRights>> {
        let at_top = self.target.on_host && !self.as_user && split(path).0.is_empty();
        at_top.then(UserRights::take).transpose()
    }

    fn full(&self, path: &[u8]) -> String {
        let below = String::from_utf8_lossy(path);
        format!("{}/{below}", self.target.shown.trim_end_matches('/'))
    }

    fn entry(&mut self, entry: &Entry, data: &mut Reader<'_>) -> Result<()> {
        let refused = |why| CopyError::Refused { entry: entry.shown(), why };
        let path = clean(&entry.name).map_err(refused)?;
        if path.is_empty() {
            return match entry.kind {
                // The directory extracted to stays as it is.
                EntryKind::Directory => Ok(()),
                _ => Err(refused("it has no name")),
            };
        }
        let (dir, name) = split(&path);
        let parent = self.parent(dir).map_err(self.failed(REACH, &path))?;
        let there = lstat(&parent, name).map_err(self.failed(LOOK, &path))?;
        self.check_kinds(&path, entry, there.as_ref())?;
        let failed = |step| self.failed::<Errno>(step, &path);
        match entry.kind {
            EntryKind::CharDevice | EntryKind::BlockDevice => return Ok(()),
            EntryKind::Directory => return self.directory(entry, &path, &parent, there.is_some()),
            EntryKind::File => return self.file(entry, &path, &parent, there.as_ref(), data),
            EntryKind::Hardlink => return self.hardlink(entry, &path, &parent, there.is_some()),
            EntryKind::Symlink | EntryKind::Fifo => {}
        }
        let rights = self.rights_at(&path)?;
        if there.is_some() {
            unlinkat(&*parent, name, AtFlags::empty()).map_err(failed(REPLACE))?;
        }
        if entry.kind == EntryKind::Symlink {
            symlinkat(entry.link.as_slice(), &*parent, name).map_err(failed(MAKE_SYMLINK))?;
        } else {
            let mode = Mode::from_raw_mode(0o600);
            mknodat(&*parent, name, FileType::Fifo, mode, 0).map_err(failed(MAKE_FIFO))?;
        }
        drop(rights);
        self.special_meta(entry, &path, &parent, name)
    }

    /// A directory takes no file's place and no file a directory's.
    fn check_kinds(&self, path: &[u8], entry: &Entry, there: Option<&Stat>) -> Result<()> {
        let Some(there) = there else { return Ok(()) };
        let is_dir = FileType::from_raw_mode(there.st_mode) == FileType::Directory;
        let full = || self.full(path);
        match (is_dir, entry.kind == EntryKind::Directory) {
            (true, false) => {
                Err(CopyError::FileOverDirectory { path: full(), dest: self.target.shown.clone() })
            }
            (false, true) => {
                Err(CopyError::DirectoryOverOther { path: full(), dest: self.target.shown.clone() })
            }
            _ => Ok(()),
        }
    }

    fn directory(
        &mut self,
        entry: &Entry,
        path: &[u8],
        parent: &OwnedFd,
        exists: bool,
    ) -> Result<()> {
        let (_, name) = split(path);
        if !exists {
            let _rights = self.rights_at(path)?;
            mkdirat(parent, name, Mode::from_raw_mode(0o700))
                .map_err(self.failed(MAKE_DIR, path))?;
        }
        let mode = self.as_user.then(|| Mode::from_raw_mode(self.mode(entry)));
        if mode.is_none() {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let dir =
                openat(parent, name, flags, Mode::empty()).map_err(self.failed(OPEN, path))?;
            self.meta(entry, path, dir.as_fd())?;
        }
        self.folders.insert(path.to_vec(), Folder { mode, mtime: entry.mtime });
        Ok(())
    }

    fn file(
        &mut self,
        entry: &Entry,
        path: &[u8],
        parent: &OwnedFd,
        there: Option<&Stat>,
        data: &mut Reader<'_>,
    ) -> Result<()> {
        let (_, name) = split(path);
        let is_file =
            there.is_some_and(|s| FileType::from_raw_mode(s.st_mode) == FileType::RegularFile);
        let base = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut flags = base | OFlags::CREATE | OFlags::EXCL;
        let rights = self.rights_at(path)?;
        if there.is_some() {
            match unlinkat(parent, name, AtFlags::empty()) {
                // A mount point, as /etc/hosts is: it can be written and not replaced.
                Err(Errno::BUSY) if is_file => flags = base | OFlags::TRUNC | OFlags::NONBLOCK,
                outcome => outcome.map_err(self.failed(REPLACE, path))?,
            }
        }
        let file = openat(parent, name, flags, Mode::from_raw_mode(0o600))
            .map_err(self.failed(CREATE, path))?;
        drop(rights);
        let written = self.fill(entry, path, &mut File::from(file), data);
        if written.is_err() && flags.contains(OFlags::EXCL) {
            // What is half a file looks like a whole one; the error says why there is none.
            unlinkat(parent, name, AtFlags::empty()).ok();
        }
        written
    }

    fn fill(
        &mut self,
        entry: &Entry,
        path: &[u8],
        file: &mut File,
        data: &mut Reader<'_>,
    ) -> Result<()> {
        let written = write_content(data, entry, file, &mut self.buffer);
        written.map_err(|error| match error {
            UnpackError::Apply { source, .. } => self.failed(WRITE, path)(source),
            error => error.into(),
        })?;
        self.meta(entry, path, file.as_fd())?;
        rustix::fs::futimens(&*file, &times(entry.mtime)).map_err(self.failed(TIME, path))
    }

    fn hardlink(
        &mut self,
        entry: &Entry,
        path: &[u8],
        parent: &OwnedFd,
        exists: bool,
    ) -> Result<()> {
        let refused = |why| CopyError::Refused { entry: entry.shown(), why };
        let from = clean(&entry.link).map_err(refused)?;
        let (dir, source) = split(&from);
        if source.is_empty() {
            return Err(refused("its link target is empty"));
        }
        let source_dir = self.existing(dir).map_err(self.failed(LINK, path))?;
        let (_, name) = split(path);
        if exists {
            if from == path {
                return Ok(());
            }
            unlinkat(parent, name, AtFlags::empty()).map_err(self.failed(REPLACE, path))?;
        }
        linkat(&source_dir, source, parent, name, AtFlags::empty()).map_err(self.failed(LINK, path))
    }

    fn owner(&self, entry: &Entry) -> Option<(Uid, Gid)> {
        let root = self.target.owners == Owners::KeptOrRoot;
        let id = |id: u64| match u32::try_from(id) {
            Ok(_) if root && id == UNMAPPED_ID => 0,
            Ok(id) if id != u32::MAX => id,
            _ => 0,
        };
        (self.target.owners != Owners::Ours)
            .then(|| (Uid::from_raw(id(entry.uid)), Gid::from_raw(id(entry.gid))))
    }

    fn mode(&self, entry: &Entry) -> u32 {
        entry.mode & if self.target.faithful { 0o7777 } else { 0o1777 }
    }

    /// Owner, mode and attributes, through an open file or directory.
    fn meta(&self, entry: &Entry, path: &[u8], fd: BorrowedFd<'_>) -> Result<()> {
        if let Some((uid, gid)) = self.owner(entry) {
            match rustix::fs::fchown(fd, Some(uid), Some(gid)) {
                // Not an id of ours: in a container it is on record instead.
                Err(Errno::INVAL | Errno::PERM) => {
                    let text = format!("{}:{}", uid.as_raw(), gid.as_raw());
                    if self.target.resolve.contains(ResolveFlags::IN_ROOT) {
                        fsetxattr(fd, OWNER_XATTR, text.as_bytes(), XattrFlags::empty()).ok();
                    }
                }
                outcome => outcome.map_err(self.failed(OWNER, path))?,
            }
        }
        rustix::fs::fchmod(fd, Mode::from_raw_mode(self.mode(entry)))
            .map_err(self.failed(MODE, path))?;
        for (name, value) in &entry.xattrs {
            let kept = name == "security.capability" || name.starts_with("user.");
            if self.target.faithful && kept && !is_reserved(name) {
                // As with Docker, what the file system does not take is lost.
                fsetxattr(fd, name.as_str(), value, XattrFlags::empty()).ok();
            }
        }
        Ok(())
    }

    /// The same for what cannot be opened.
    fn special_meta(
        &self,
        entry: &Entry,
        path: &[u8],
        parent: &OwnedFd,
        name: &[u8],
    ) -> Result<()> {
        let failed = |step| self.failed::<Errno>(step, path);
        if let Some((uid, gid)) = self.owner(entry) {
            match chownat(parent, name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW) {
                Err(Errno::INVAL | Errno::PERM) => {}
                outcome => outcome.map_err(failed(OWNER))?,
            }
        }
        if entry.kind == EntryKind::Fifo {
            let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let handle = openat(parent, name, flags, Mode::empty()).map_err(failed(OPEN))?;
            let handle_path = format!("/proc/self/fd/{}", handle.as_raw_fd());
            let permissions = Permissions::from_mode(self.mode(entry));
            std::fs::set_permissions(handle_path, permissions).map_err(self.failed(MODE, path))?;
        }
        utimensat(parent, name, &times(entry.mtime), AtFlags::SYMLINK_NOFOLLOW)
            .map_err(failed(TIME))
    }

    /// Opens a directory below the target, creating what is missing.
    fn parent(&mut self, dir: &[u8]) -> std::result::Result<std::rc::Rc<OwnedFd>, Errno> {
        if let Some((last, open)) = &self.last
            && last == dir
        {
            return Ok(std::rc::Rc::clone(open));
        }
        let open = match self.existing(dir) {
            Err(Errno::NOENT) => self.make(dir)?,
            outcome => outcome?,
        };
        let open = std::rc::Rc::new(open);
        self.last = Some((dir.to_vec(), std::rc::Rc::clone(&open)));
        Ok(open)
    }

    fn existing(&self, dir: &[u8]) -> std::result::Result<OwnedFd, Errno> {
        let mut path = self.target.dir.clone();
        if !dir.is_empty() {
            if !path.is_empty() {
                path.push(b'/');
            }
            path.extend_from_slice(dir);
        }
        open_dir(self.target.root.as_fd(), &path, self.target.resolve)
    }

    fn make(&self, dir: &[u8]) -> std::result::Result<OwnedFd, Errno> {
        let mut at = self.existing(b"")?;
        let mut end = 0;
        for name in dir.split(|b| *b == b'/') {
            end += name.len();
            at = match self.existing(&dir[..end]) {
                Err(Errno::NOENT) => {
                    mkdirat(&at, name, Mode::from_raw_mode(IMPLIED_MODE))?;
                    self.existing(&dir[..end])?
                }
                outcome => outcome?,
            };
            end += 1;
        }
        Ok(at)
    }

    fn finish(&self) -> Result<()> {
        // Those below first: a mode may close the way to them.
        for (path, folder) in self.folders.iter().rev() {
            let dir = match self.existing(path) {
                // Somebody took it away meanwhile.
                Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => continue,
                found => found.map_err(self.failed(OPEN, path))?,
            };
            if let Some(mode) = folder.mode {
                rustix::fs::fchmod(&dir, mode).map_err(self.failed(MODE, path))?;
            }
            rustix::fs::futimens(&dir, &times(folder.mtime)).map_err(self.failed(TIME, path))?;
        }
        Ok(())
    }
}

/// Opens a directory beneath `root`; the empty path is the root.
pub(super) fn open_dir(
    root: BorrowedFd<'_>,
    path: &[u8],
    resolve: ResolveFlags,
) -> std::result::Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let path: &[u8] = if path.is_empty() { b"." } else { path };
    loop {
        match openat2(root, path, flags, Mode::empty(), resolve | ResolveFlags::NO_MAGICLINKS) {
            // Something was renamed elsewhere meanwhile; the kernel asks to try again.
            Err(Errno::AGAIN | Errno::INTR) => {}
            outcome => return outcome,
        }
    }
}

fn lstat(parent: &OwnedFd, name: &[u8]) -> std::result::Result<Option<Stat>, Errno> {
    match statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(stat)),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(errno),
    }
}

/// Attributes by which overlayfs and we keep our books.
fn is_reserved(name: &str) -> bool {
    name.starts_with("user.overlay.") || name.starts_with("user.coracle.")
}

fn times((seconds, nanos): (i64, u32)) -> Timestamps {
    let time = Timespec { tv_sec: seconds, tv_nsec: nanos.into() };
    Timestamps { last_access: time, last_modification: time }
}
