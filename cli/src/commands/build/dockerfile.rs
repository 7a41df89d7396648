//! Where the Dockerfile is, and what is left out of its context.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use coracle_builder::limits::DOCKERFILE_BYTES_MAX;
use coracle_builder::request::Dockerfile;

use super::args::failed;
use crate::error::CliError;
use crate::files::reason;

/// Links that are followed one after the other: the kernel's bound is 40, nobody has three.
const LINKS_MAX: usize = 8;

pub(super) const NAME: &str = "Dockerfile";

/// Why there is no Dockerfile: a build tells it after it was begun.
#[derive(Debug)]
pub(crate) struct Unread {
    /// As it was named.
    pub(crate) name: String,
    pub(crate) why: String,
    /// Not even a place was given where it could be.
    pub(crate) no_source: bool,
}

impl From<Unread> for CliError {
    fn from(unread: Unread) -> Self {
        failed(&format!("failed to solve: failed to read dockerfile: {}", unread.why))
    }
}

/// The Dockerfile of a folder: the usual one, or the one that `file` names, which may be elsewhere.
pub(crate) fn of_folder(context: &Path, file: Option<&Path>) -> Result<Dockerfile, Unread> {
    let path = file.map_or_else(|| context.join(NAME), Path::to_owned);
    let (path, bytes) = open(&path)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let own = path.with_file_name(format!("{name}.dockerignore"));
    Ok(Dockerfile {
        text: text(bytes),
        path: shown(&path),
        name,
        ignore: text_of(&own).or_else(|| ignore_of(context)),
    })
}

/// A text that came by itself; `path`: as messages call it.
pub(crate) fn of_bytes(bytes: Vec<u8>, path: &str, ignore: Option<String>) -> Dockerfile {
    Dockerfile { text: text(bytes), path: path.to_owned(), name: NAME.to_owned(), ignore }
}

/// The ignore file of a context.
pub(crate) fn ignore_of(context: &Path) -> Option<String> {
    text_of(&context.join(".dockerignore"))
}

/// A Dockerfile on standard input, of which the beginning is known perhaps.
pub(super) fn from(input: &mut dyn Read) -> Result<Vec<u8>, Unread> {
    bounded(input).map_err(|error| Unread {
        name: NAME.to_owned(),
        why: format!("read /dev/stdin: {}", reason(&error)),
        no_source: false,
    })
}

/// Opens a Dockerfile, or the one in small letters where there is no other. Links are followed as
/// long as they stay in its folder: what is outside is not part of a context.
fn open(wanted: &Path) -> Result<(PathBuf, Vec<u8>), Unread> {
    let mut path = wanted.to_owned();
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if name == NAME && fs::symlink_metadata(&path).is_err() {
        let small = path.with_file_name("dockerfile");
        if fs::symlink_metadata(&small).is_ok() {
            path = small;
        }
    }
    let unread = |why: &str| Unread {
        name: name.clone(),
        why: format!("open {name}: {why}"),
        no_source: false,
    };
    let absent = || unread("no such file or directory");
    let mut file = path.clone();
    for _ in 0..LINKS_MAX {
        let Ok(target) = fs::read_link(&file) else { break };
        if !target.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
        {
            return Err(absent());
        }
        file = file.with_file_name(target);
    }
    let meta = fs::symlink_metadata(&file).map_err(|_| absent())?;
    if !meta.is_file() {
        return Err(unread("it is not a regular file"));
    }
    let why = |error: std::io::Error| unread(&reason(&error));
    let bytes = bounded(&mut File::open(&file).map_err(why)?).map_err(why)?;
    Ok((path, bytes))
}

/// One byte more than is taken tells that there is too much.
fn bounded(from: &mut dyn Read) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = u64::try_from(DOCKERFILE_BYTES_MAX).unwrap_or(u64::MAX);
    from.take(most + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Bytes that are no UTF-8 are shown as what they are.
fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes)
        .unwrap_or_else(|bad| String::from_utf8_lossy(bad.as_bytes()).into_owned())
}

fn text_of(path: &Path) -> Option<String> {
    fs::symlink_metadata(path).ok().filter(fs::Metadata::is_file)?;
    Some(text(bounded(&mut File::open(path).ok()?).ok()?))
}

/// tar, gzip, bzip2, xz or zstd.
pub(crate) fn is_archive(bytes: &[u8]) -> bool {
    let begins: [&[u8]; 4] = [b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd"];
    begins.iter().any(|begin| bytes.starts_with(begin)) || bytes.get(257..262) == Some(b"ustar")
}

/// Without `./`, as messages show it.
fn shown(path: &Path) -> String {
    let parts = path.components().filter(|part| *part != Component::CurDir);
    parts.collect::<PathBuf>().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_what_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let context = folder.path();
        let why = || of_folder(context, None).unwrap_err().why;
        let absent = "open Dockerfile: no such file or directory";
        assert_eq!(why(), absent);
        fs::write(context.join("dockerfile"), "FROM a\n").unwrap();
        fs::write(context.join(".dockerignore"), "x\n").unwrap();
        let small = of_folder(context, None).unwrap();
        assert_eq!((small.name.as_str(), small.ignore.as_deref()), ("dockerfile", Some("x\n")));
        std::os::unix::fs::symlink("dockerfile", context.join("Dockerfile")).unwrap();
        fs::write(context.join("Dockerfile.dockerignore"), "y\n").unwrap();
        let linked = of_folder(context, None).unwrap();
        assert_eq!((linked.text.as_str(), linked.ignore.as_deref()), ("FROM a\n", Some("y\n")));
        fs::remove_file(context.join("Dockerfile")).unwrap();
        std::os::unix::fs::symlink("../elsewhere", context.join("Dockerfile")).unwrap();
        assert_eq!(why(), absent, "a link that leads out");
        let elsewhere = of_folder(context, Some(Path::new("nosuch/other"))).unwrap_err();
        assert_eq!(elsewhere.why, "open other: no such file or directory");
        assert_eq!(shown(Path::new("./b/./Dockerfile")), "b/Dockerfile");
    }

    #[test]
    fn archives_are_told_from_text() {
        let mut tar = vec![0; 512];
        tar[257..262].copy_from_slice(b"ustar");
        assert!(is_archive(&tar) && is_archive(b"\x1f\x8b\x08") && !is_archive(b"FROM a\n"));
    }
}
