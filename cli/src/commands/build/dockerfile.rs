//! Where the Dockerfile is, and what is left out of its context.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use coracle_builder::limits::DOCKERFILE_BYTES_MAX;

use super::check::failed;
use crate::error::CliError;
use crate::files::reason;

/// A Dockerfile that was read.
#[derive(Debug)]
pub(super) struct Dockerfile {
    pub(super) text: String,
    /// As messages call it.
    pub(super) path: String,
    /// The last part of it.
    pub(super) name: String,
    /// The text of the `.dockerignore` that counts.
    pub(super) ignore: Option<String>,
}

/// Links that are followed one after the other: the kernel's bound is 40, nobody has three.
const LINKS_MAX: usize = 8;

const NAME: &str = "Dockerfile";

/// Reads what `file` and `context` name.
pub(super) fn read(context: &str, file: Option<&str>) -> Result<Dockerfile, CliError> {
    let file = file.filter(|file| !file.is_empty());
    if context == "-" {
        return match file {
            Some("-") => Err(failed(
                "invalid argument: can't use stdin for both build context and dockerfile",
            )),
            Some(_) => Err(failed(
                "ambiguous Dockerfile source: both stdin and flag correspond to Dockerfiles",
            )),
            None => Ok(from_stdin(NAME, None, true)?),
        };
    }
    if !Path::new(context).is_dir() {
        let remote = ["http://", "https://", "git://", "ssh://", "git@", "github.com/"];
        if remote.iter().any(|begin| context.starts_with(begin)) {
            let why = "a check reads Dockerfiles from folders and standard input";
            return Err(CliError::unsupported(context, why));
        }
        return Err(failed(&format!("unable to prepare context: path {context:?} not found")));
    }
    let of_context = || text_of(&Path::new(context).join(".dockerignore"));
    if file == Some("-") {
        return from_stdin("stdin", of_context(), false);
    }
    let path = match file {
        Some(file) => PathBuf::from(file),
        None => Path::new(context).join(NAME),
    };
    let (path, bytes) = open(&path)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let own = path.with_file_name(format!("{name}.dockerignore"));
    Ok(Dockerfile {
        text: text(bytes),
        path: shown(&path),
        name,
        ignore: text_of(&own).or_else(of_context),
    })
}

fn from_stdin(
    path: &str,
    ignore: Option<String>,
    is_context: bool,
) -> Result<Dockerfile, CliError> {
    let bytes = bounded(&mut std::io::stdin().lock())
        .map_err(|error| unreadable(&format!("read /dev/stdin: {}", reason(&error))))?;
    if is_context {
        if bytes.is_empty() {
            return Err(unreadable("no local sources enabled"));
        }
        if is_archive(&bytes) {
            let why = "a check reads Dockerfiles from folders and standard input";
            return Err(CliError::unsupported("an archive on standard input", why));
        }
    }
    Ok(Dockerfile { text: text(bytes), path: path.to_owned(), name: NAME.to_owned(), ignore })
}

/// Opens a Dockerfile, or the one in small letters where there is no other. Links are followed as
/// long as they stay in its folder: what is outside is not part of a context.
fn open(wanted: &Path) -> Result<(PathBuf, Vec<u8>), CliError> {
    let mut path = wanted.to_owned();
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if name == NAME && fs::symlink_metadata(&path).is_err() {
        let small = path.with_file_name("dockerfile");
        if fs::symlink_metadata(&small).is_ok() {
            path = small;
        }
    }
    let absent = || unreadable(&format!("open {name}: no such file or directory"));
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
        return Err(unreadable(&format!("open {name}: it is not a regular file")));
    }
    let why = |error: std::io::Error| unreadable(&format!("open {name}: {}", reason(&error)));
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
fn is_archive(bytes: &[u8]) -> bool {
    let begins: [&[u8]; 4] = [b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd"];
    begins.iter().any(|begin| bytes.starts_with(begin)) || bytes.get(257..262) == Some(b"ustar")
}

/// Without `./`, as messages show it.
fn shown(path: &Path) -> String {
    let parts = path.components().filter(|part| *part != Component::CurDir);
    parts.collect::<PathBuf>().to_string_lossy().into_owned()
}

fn unreadable(why: &str) -> CliError {
    failed(&format!("failed to solve: failed to read dockerfile: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(context: &Path, file: Option<&str>) -> String {
        read(&context.to_string_lossy(), file).unwrap_err().message
    }

    #[test]
    fn files_and_what_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let context = folder.path();
        let absent = "ERROR: failed to build: failed to solve: failed to read dockerfile: open Dockerfile: no such file or directory";
        assert_eq!(why(context, None), absent);
        fs::write(context.join("dockerfile"), "FROM a\n").unwrap();
        fs::write(context.join(".dockerignore"), "x\n").unwrap();
        let small = read(&context.to_string_lossy(), None).unwrap();
        assert_eq!((small.name.as_str(), small.ignore.as_deref()), ("dockerfile", Some("x\n")));
        std::os::unix::fs::symlink("dockerfile", context.join("Dockerfile")).unwrap();
        fs::write(context.join("Dockerfile.dockerignore"), "y\n").unwrap();
        let linked = read(&context.to_string_lossy(), None).unwrap();
        assert_eq!((linked.text.as_str(), linked.ignore.as_deref()), ("FROM a\n", Some("y\n")));
        fs::remove_file(context.join("Dockerfile")).unwrap();
        std::os::unix::fs::symlink("../elsewhere", context.join("Dockerfile")).unwrap();
        assert_eq!(why(context, None), absent, "a link that leads out");
        let nowhere = why(&context.join("nosuch"), None);
        assert!(nowhere.contains("unable to prepare context: path "), "{nowhere}");
        assert!(why(Path::new("https://h/r.git"), None).contains("not supported"));
        assert_eq!(shown(Path::new("./b/./Dockerfile")), "b/Dockerfile");
    }

    #[test]
    fn archives_are_told_from_text() {
        let mut tar = vec![0; 512];
        tar[257..262].copy_from_slice(b"ustar");
        assert!(is_archive(&tar) && is_archive(b"\x1f\x8b\x08") && !is_archive(b"FROM a\n"));
    }
}
