//! The host's side of a copy: where a source is and where a destination leads.
//!
//! The paths are the user's own: symlinks in them are followed as the user's other programs
//! follow them. What lies below a source is walked without following any.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use super::CopyError;
use super::names::{Destination, means_contents, split};

type Result<T> = std::result::Result<T, CopyError>;

/// Symlinks followed at a destination, as many as Docker follows.
const SYMLINKS_MAX: usize = 10;

/// What to copy from the host, open.
#[derive(Debug)]
pub(super) enum Source {
    /// A directory and its name.
    Directory { dir: OwnedFd, name: String },
    /// Anything else: the directory it is in and its name there.
    Other { parent: OwnedFd, entry: String, name: String },
}

#[expect(clippy::disallowed_methods, reason = "a path of the user's own, which may lead anywhere")]
fn real_path(path: &str) -> Result<String> {
    let real = fs::canonicalize(path).map_err(missing(path))?;
    Ok(real.to_string_lossy().into_owned())
}

/// Opens the source at an absolute path, which keeps its final `/` or `/.`.
pub(super) fn source(path: &str, follow: bool) -> Result<Source> {
    let (dir, base) = split(path);
    if path.ends_with('/') || means_contents(path) {
        let found = fs::metadata(path).map_err(missing(path))?;
        if !found.is_dir() {
            return Err(CopyError::NotDirectory);
        }
        let dir = File::open(path).map_err(CopyError::host("open", path))?;
        return Ok(Source::Directory { dir: dir.into(), name: base.to_owned() });
    }
    let meta = fs::symlink_metadata(path).map_err(missing(path))?;
    let name = base.to_owned();
    if meta.is_symlink() && follow {
        return Ok(match source(&real_path(path)?, false)? {
            Source::Directory { dir, .. } => Source::Directory { dir, name },
            Source::Other { parent, entry, .. } => Source::Other { parent, entry, name },
        });
    }
    if meta.is_dir() {
        let dir = File::open(path).map_err(CopyError::host("open", path))?;
        return Ok(Source::Directory { dir: dir.into(), name });
    }
    let parent = File::open(dir).map_err(CopyError::host("open", dir))?;
    Ok(Source::Other { parent: parent.into(), entry: name.clone(), name })
}

/// Names the first part of the path that is not there, as Docker does.
fn missing(path: &str) -> impl FnOnce(io::Error) -> CopyError {
    let path = path.to_owned();
    move |error| {
        let parts = path.char_indices().filter(|(at, c)| *c == '/' && *at > 0).map(|(at, _)| at);
        let first = parts
            .map(|at| &path[..at])
            .find(|part| fs::symlink_metadata(part).is_err())
            .unwrap_or(path.trim_end_matches("/."));
        CopyError::host("lstat", first)(error)
    }
}

/// Refuses a destination that can hold no copy, before anything is read.
pub(super) fn check_output(path: &str) -> Result<()> {
    let clean = path.trim_end_matches("/.").trim_end_matches('/');
    let (dir, _) = split(clean);
    if matches!(fs::metadata(dir), Err(error) if error.kind() == io::ErrorKind::NotFound) {
        return Err(CopyError::OutputDirectory { dir: dir.to_owned() });
    }
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(CopyError::host("stat", path)(error)),
        Ok(meta) if is_device(&meta) => {
            Err(CopyError::OutputKind { path: path.to_owned(), why: "got a device" })
        }
        Ok(_) => Ok(()),
    }
}

fn is_device(meta: &Metadata) -> bool {
    meta.file_type().is_char_device() || meta.file_type().is_block_device()
}

/// Where a destination is, a symlink in its place followed, existing or not.
pub(super) fn destination(path: &str) -> Result<Destination> {
    let mut at = path.to_owned();
    for _ in 0..=SYMLINKS_MAX {
        match fs::symlink_metadata(&at) {
            Ok(meta) if meta.is_symlink() => {
                let target = fs::read_link(&at).map_err(CopyError::host("readlink", &*at))?;
                let target = Path::new(split(&at).0).join(target);
                at = target.to_string_lossy().into_owned();
            }
            Ok(meta) => return Ok(Destination { path: at, directory: Some(meta.is_dir()) }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let (parent, _) = split(at.trim_end_matches("/."));
                let meta = fs::metadata(parent).map_err(CopyError::host("stat", parent))?;
                if !meta.is_dir() {
                    return Err(CopyError::NotDirectory);
                }
                return Ok(Destination { path: at, directory: None });
            }
            Err(error) => return Err(CopyError::host("lstat", at)(error)),
        }
    }
    Err(CopyError::TooManySymlinks { path: path.to_owned() })
}

/// Opens a directory of the host to extract to.
pub(super) fn open_target(path: &str) -> Result<OwnedFd> {
    let dir = File::open(path).map_err(CopyError::host("open", path))?;
    let meta = dir.metadata().map_err(CopyError::host("stat", path))?;
    if meta.is_dir() { Ok(dir.into()) } else { Err(CopyError::NotDirectory) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn named(path: &str, follow: bool) -> String {
        match source(path, follow) {
            Ok(Source::Directory { name, .. }) => format!("dir {name}"),
            Ok(Source::Other { entry, name, .. }) => format!("{entry} as {name}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn sources() {
        let temp = tempfile::tempdir().unwrap();
        let base = temp.path().to_str().unwrap();
        fs::create_dir(temp.path().join("d")).unwrap();
        fs::write(temp.path().join("f"), "").unwrap();
        symlink("d", temp.path().join("to-d")).unwrap();
        symlink("f", temp.path().join("to-f")).unwrap();
        for (path, follow, expected) in [
            ("d", false, "dir d"),
            ("d/", false, "dir d"),
            ("d/.", false, "dir ."),
            ("f", false, "f as f"),
            ("to-d", false, "to-d as to-d"),
            ("to-d/", false, "dir to-d"),
            ("to-d", true, "dir to-d"),
            ("to-f", true, "f as to-f"),
        ] {
            assert_eq!(named(&format!("{base}/{path}"), follow), expected, "{path} {follow}");
        }
        assert_eq!(
            named(&format!("{base}/no/such"), false),
            format!("lstat {base}/no: no such file or directory")
        );
        assert_eq!(
            named(&format!("{base}/d/x"), false),
            format!("lstat {base}/d/x: no such file or directory")
        );
    }

    #[test]
    fn destinations() {
        let temp = tempfile::tempdir().unwrap();
        let base = temp.path().to_str().unwrap();
        fs::create_dir(temp.path().join("d")).unwrap();
        symlink("d/new", temp.path().join("to-new")).unwrap();
        symlink("loop", temp.path().join("loop")).unwrap();
        let at = |path: &str| destination(&format!("{base}/{path}"));
        assert_eq!(at("d").unwrap().directory, Some(true));
        let to = at("to-new").unwrap();
        assert_eq!((to.path, to.directory), (format!("{base}/d/new"), None));
        assert_eq!(
            at("loop").unwrap_err().to_string(),
            format!("too many symlinks in {base}/loop")
        );
        let output = |path: &str| check_output(path).unwrap_err().to_string();
        assert_eq!(
            output(&format!("{base}/no/such")),
            format!("invalid output path: directory \"{base}/no\" does not exist")
        );
        assert_eq!(
            output("/dev/null"),
            "invalid output path: \"/dev/null\" must be a directory or a regular file: got a device"
        );
    }
}
