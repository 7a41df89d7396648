//! The two directions of a copy.

use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use coracle_image::ImageError;
use coracle_image::pack::{PackOptions, pack_dir, pack_entry};
use rustix::fs::{AtFlags, FileType, OFlags, ResolveFlags, StatxFlags, fstat, statx};
use rustix::io::Errno;

use super::extract::{Owners, Target, extract, open_dir};
use super::host;
use super::names::{self, Destination, Placing};
use super::rights::{UserRights, survive_limits};
use super::stream::{Writer, stream};
use super::view::View;
use super::{ContainerPath, Copied, CopyError, CopyOptions, HostSource, HostTarget};

type Result<T> = std::result::Result<T, CopyError>;

/// Symlinks followed at the end of a path of a container; the kernel's own limit.
const SYMLINKS_MAX: usize = 40;

/// What is to be written as an archive.
enum Origin {
    Directory { dir: OwnedFd },
    Other { parent: OwnedFd, entry: Vec<u8> },
}

impl Origin {
    fn is_dir(&self) -> bool {
        matches!(self, Self::Directory { .. })
    }

    /// Gives the bytes of the files that it packed.
    fn pack(self, name: &str, out: &mut dyn Write) -> Result<u64> {
        let options = PackOptions::default();
        let packed = match self {
            Self::Directory { dir } => pack_dir(dir, name.as_bytes(), out, options),
            Self::Other { parent, entry } => {
                pack_entry(parent, &entry, name.as_bytes(), out, options)
            }
        };
        packed.map(|packed| packed.file_bytes).map_err(|source| CopyError::Pack { source })
    }
}

/// Copies from the host into a container.
pub(crate) fn copy_in(
    view: &View,
    to: &ContainerPath<'_>,
    from: HostSource<'_>,
    options: CopyOptions,
    readonly_root: bool,
) -> Result<Copied> {
    let destination = destination(view, to)?;
    let (dir, origin, owners) = match from {
        HostSource::Stream(stream) => {
            if destination.directory != Some(true) {
                let (container, path) = (to.name.to_owned(), to.path.to_owned());
                let missing = destination.directory.is_none();
                return Err(CopyError::StreamTarget { container, path, missing });
            }
            (destination.path.clone(), Err(stream), Owners::Kept)
        }
        HostSource::Path(path) => {
            let (origin, name) = match host::source(path, options.follow_link)? {
                host::Source::Directory { dir, name } => (Origin::Directory { dir }, name),
                host::Source::Other { parent, entry, name } => {
                    (Origin::Other { parent, entry: entry.into_bytes() }, name)
                }
            };
            let Placing { dir, name } = names::place(origin.is_dir(), &name, &destination)?;
            (dir, Ok((origin, name)), Owners::KeptOrRoot)
        }
    };
    let target = container_target(view, to, &dir, owners, readonly_root)?;
    let Passed { bytes, content } = match origin {
        Ok((origin, name)) => through(origin, &name, &target)?,
        Err(stream) => {
            let (_, mut plain) =
                coracle_image::store::decoder(stream).map_err(|_| CopyError::UnexpectedEof)?;
            extract(&mut plain, &target)?;
            Passed { bytes: 0, content: 0 }
        }
    };
    Ok(Copied { bytes, content, target: format!("{}:{}", to.name, destination.path) })
}

/// Copies from a container to the host.
pub(crate) fn copy_out(
    view: &View,
    from: &ContainerPath<'_>,
    to: HostTarget<'_>,
    options: CopyOptions,
) -> Result<Copied> {
    let _limit = survive_limits()?;
    if let HostTarget::Path(path) = &to {
        let _rights = UserRights::take()?;
        host::check_output(path)?;
    }
    let typed = names::absolute("/", from.path);
    let path = if options.follow_link { last_symlink(view, &typed)? } else { typed.clone() };
    let origin = container_origin(view, &path).map_err(|errno| not_found(errno, from, &path))?;
    match to {
        HostTarget::Stream(out) => {
            let mut out = Noting { out, failure: None };
            let packed = origin.pack(names::split(&path).1, &mut out);
            let flushed = out.flush();
            match (packed, out.failure) {
                (Err(_), Some(error)) => Err(CopyError::host("write", "/dev/stdout")(error)),
                (packed, _) => packed.and_then(|_| {
                    flushed.map_err(CopyError::host("write", "/dev/stdout"))?;
                    Ok(Copied { bytes: 0, content: 0, target: "-".to_owned() })
                }),
            }
        }
        HostTarget::Path(host_path) => {
            let rights = UserRights::take()?;
            let destination = host::destination(host_path)?;
            let name = names::split(&typed).1;
            let Placing { dir, name } = names::place(origin.is_dir(), name, &destination)?;
            let target = Target {
                root: host::open_target(&dir)?,
                dir: Vec::new(),
                resolve: ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS,
                owners: if options.archive { Owners::Kept } else { Owners::Ours },
                faithful: options.archive,
                shown: dir,
                on_host: true,
            };
            drop(rights);
            let is_dir = origin.is_dir();
            let Passed { bytes, content } = through(origin, &name, &target)?;
            let content = if is_dir { bytes } else { content };
            Ok(Copied { bytes, content, target: host_path.to_owned() })
        }
    }
}

/// Keeps why it could not write, to be told in Docker's words. A reader that went away is told
/// by the command itself.
struct Noting<'a> {
    out: &'a mut dyn Write,
    failure: Option<io::Error>,
}

impl Noting<'_> {
    fn note<T>(&mut self, outcome: io::Result<T>) -> io::Result<T> {
        outcome.inspect_err(|error| {
            if let (Some(code), false) =
                (error.raw_os_error(), error.kind() == io::ErrorKind::BrokenPipe)
            {
                self.failure = Some(io::Error::from_raw_os_error(code));
            }
        })
    }
}

impl Write for Noting<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let outcome = self.out.write(bytes);
        self.note(outcome)
    }

    fn flush(&mut self) -> io::Result<()> {
        let outcome = self.out.flush();
        self.note(outcome)
    }
}

/// How much an archive had.
struct Passed {
    bytes: u64,
    /// In its files.
    content: u64,
}

/// Packs in another thread and extracts in this one.
fn through(origin: Origin, name: &str, target: &Target) -> Result<Passed> {
    let (writer, mut reader) = stream();
    std::thread::scope(|scope| {
        let packer = scope.spawn(move || {
            let mut writer: Writer = writer;
            let packed = origin.pack(name, &mut writer);
            packed.map(|content| Passed { bytes: writer.bytes(), content })
        });
        let extracted = extract(&mut reader, target).and_then(|()| {
            // What follows the end mark is counted too.
            io::copy(&mut reader, &mut io::sink())
                .map_err(CopyError::entry("finish", name.as_bytes()))
        });
        drop(reader);
        let packed = packer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        match (packed, extracted) {
            (Err(error), Err(_)) if !is_broken_pipe(&error) => Err(error),
            (_, Err(error)) => Err(error),
            (packed, Ok(_)) => packed,
        }
    })
}

fn is_broken_pipe(error: &CopyError) -> bool {
    matches!(error, CopyError::Pack { source: ImageError::Pack { source, .. } }
        if source.kind() == io::ErrorKind::BrokenPipe)
}

/// Where a path of the container leads and what is there.
fn destination(view: &View, to: &ContainerPath<'_>) -> Result<Destination> {
    let typed = names::absolute("/", to.path);
    let path = last_symlink(view, &typed)?;
    let Ok(stat) = view.lstat(&path) else { return Ok(Destination { path, directory: None }) };
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::CharacterDevice | FileType::BlockDevice => {
            let (container, path) = (to.name.to_owned(), to.path.to_owned());
            Err(CopyError::DeviceTarget { container, path })
        }
        kind => Ok(Destination { path, directory: Some(kind == FileType::Directory) }),
    }
}

/// The path with a symlink in its last place followed, for as long as there is one.
///
/// Parts before the last are left to the kernel, also `..` after a symlink.
fn last_symlink(view: &View, path: &str) -> Result<String> {
    let mut at = path.to_owned();
    for _ in 0..SYMLINKS_MAX {
        let Ok(found) = view.find(&at, OFlags::NOFOLLOW) else { return Ok(at) };
        let kind = fstat(&found).map(|stat| FileType::from_raw_mode(stat.st_mode));
        if kind != Ok(FileType::Symlink) {
            return Ok(at);
        }
        let target = rustix::fs::readlinkat(&found, "", Vec::new())
            .map_err(CopyError::entry("read the symlink", at.as_bytes()))?;
        let target = target.to_string_lossy().into_owned();
        at = match target.starts_with('/') {
            true => target,
            false => format!("{}/{target}", names::split(&at).0.trim_end_matches('/')),
        };
    }
    Err(CopyError::TooManySymlinks { path: path.to_owned() })
}

fn container_origin(view: &View, path: &str) -> std::result::Result<Origin, Errno> {
    let resolve = ResolveFlags::IN_ROOT;
    let stat = view.lstat(path)?;
    if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
        let dir = open_dir(view.root(), path.as_bytes(), resolve)?;
        return Ok(Origin::Directory { dir });
    }
    let (dir, entry) = names::split(path);
    let parent = open_dir(view.root(), dir.as_bytes(), resolve)?;
    Ok(Origin::Other { parent, entry: entry.as_bytes().to_vec() })
}

fn container_target(
    view: &View,
    to: &ContainerPath<'_>,
    dir: &str,
    owners: Owners,
    readonly_root: bool,
) -> Result<Target> {
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    let open = match open_dir(view.root(), dir.as_bytes(), resolve) {
        Err(Errno::NOTDIR) => return Err(CopyError::NotExtractable),
        outcome => outcome.map_err(|errno| not_found(errno, to, dir))?,
    };
    let failed = || CopyError::entry::<Errno>("look at", dir.as_bytes());
    let mount = |fd: BorrowedFd<'_>| {
        statx(fd, "", AtFlags::EMPTY_PATH, StatxFlags::MNT_ID).map(|stat| stat.stx_mnt_id)
    };
    let on_root = mount(open.as_fd()).map_err(failed())? == mount(view.root()).map_err(failed())?;
    if on_root && readonly_root {
        return Err(CopyError::ReadOnlyRoot);
    }
    let flags = rustix::fs::fstatvfs(&open).map_err(failed())?.f_flag;
    if !on_root && flags.contains(rustix::fs::StatVfsMountFlags::RDONLY) {
        return Err(CopyError::ReadOnlyVolume);
    }
    Ok(Target {
        root: rustix::io::dup(view.root()).map_err(failed())?,
        dir: dir.trim_matches('/').as_bytes().to_vec(),
        resolve,
        owners,
        faithful: true,
        shown: dir.to_owned(),
        on_host: false,
    })
}

fn not_found(errno: Errno, at: &ContainerPath<'_>, path: &str) -> CopyError {
    match errno {
        Errno::NOENT | Errno::NOTDIR => {
            let path = if path == names::absolute("/", at.path) { at.path } else { path };
            CopyError::NotFound { path: path.to_owned(), container: at.name.to_owned() }
        }
        errno => CopyError::entry("reach", path.as_bytes())(errno),
    }
}

#[cfg(test)]
#[path = "transfer_tests.rs"]
mod tests;
