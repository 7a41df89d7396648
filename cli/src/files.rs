//! Files that commands read and write for the user.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FlockOperation, Mode, OFlags, flock};

use crate::error::CliError;
use crate::ui::Ui;

/// Opens a file for reading; the message is that of Docker.
pub(crate) fn open(path: &str) -> Result<File, CliError> {
    File::open(path).map_err(|e| CliError::plain(format!("open {path}: {}", reason(&e))))
}

/// An I/O error in the words of the C library, without its number.
pub(crate) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let words = text.split(" (os error").next().unwrap_or_default();
    let mut chars = words.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

/// Where `save` and `export` write: a file that appears whole, or standard output.
///
/// Until it is whole the file has no name, so that a command that is killed leaves nothing.
/// File systems without such files get a hidden one, locked as long as it is written; one
/// that is not locked was left by a killed command and goes.
#[derive(Debug)]
pub(crate) struct Output {
    to: To,
}

#[derive(Debug)]
enum To {
    Stdout(io::Stdout),
    File { file: File, hidden: PathBuf, wanted: PathBuf, is_named: bool },
}

impl Output {
    /// `doing` begins the messages about the path.
    pub(crate) fn create(path: Option<&str>, doing: &str) -> Result<Self, CliError> {
        let Some(path) = path.filter(|path| !path.is_empty()) else {
            if Ui::stdout_is_terminal() {
                let text = "cowardly refusing to save to a terminal. Use the -o flag or redirect";
                return Err(CliError::plain(text));
            }
            return Ok(Self { to: To::Stdout(io::stdout()) });
        };
        let wanted = PathBuf::from(path);
        let refuse =
            |why: String| Err(CliError::plain(format!("{doing}: invalid output path: {why}")));
        let folder = match wanted.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            _ => PathBuf::from("."),
        };
        if let Err(error) = std::fs::metadata(&folder) {
            return refuse(format!("stat {}: {}", folder.display(), reason(&error)));
        }
        if let Ok(meta) = std::fs::metadata(&wanted)
            && !meta.is_file()
        {
            let kind = if meta.is_dir() { "directory" } else { "device" };
            return refuse(format!("{path:?} must be a directory or a regular file: got a {kind}"));
        }
        let name = wanted.file_name().unwrap_or_default().to_string_lossy().into_owned();
        sweep(&folder, &name);
        let hidden = folder.join(format!(".{name}.{}", std::process::id()));
        let (file, is_named) = match nameless(&folder) {
            Some(file) => (file, false),
            None => (named(&hidden, path)?, true),
        };
        Ok(Self { to: To::File { file, hidden, wanted, is_named } })
    }

    /// Puts the file in its place.
    pub(crate) fn finish(mut self) -> Result<(), CliError> {
        self.flush()?;
        let To::File { file, hidden, wanted, is_named } = &mut self.to else { return Ok(()) };
        let failed =
            |e: io::Error| CliError::plain(format!("cannot write {}: {e}", wanted.display()));
        if !*is_named {
            // A link cannot replace what is there, a rename can.
            let path = format!("/proc/self/fd/{}", file.as_raw_fd());
            rustix::fs::linkat(CWD, path, CWD, &*hidden, AtFlags::SYMLINK_FOLLOW)
                .map_err(|errno| failed(errno.into()))?;
            *is_named = true;
        }
        std::fs::rename(hidden, &*wanted).map_err(failed)
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.to {
            To::Stdout(out) => out.write(bytes),
            To::File { file, .. } => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.to {
            To::Stdout(out) => out.flush(),
            To::File { file, .. } => file.flush(),
        }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if let To::File { hidden, is_named: true, .. } = &self.to {
            // After `finish` it is gone already.
            remove(hidden);
        }
    }
}

/// A file that has no name in `folder`; `None` where there are none.
fn nameless(folder: &Path) -> Option<File> {
    let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
    Some(File::from(rustix::fs::open(folder, flags, Mode::RUSR | Mode::WUSR).ok()?))
}

fn named(hidden: &Path, path: &str) -> Result<File, CliError> {
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(hidden)
        .map_err(|e| CliError::plain(format!("open {path}: {}", reason(&e))))?;
    // Only so that others leave it alone.
    flock(&file, FlockOperation::NonBlockingLockExclusive).ok();
    Ok(file)
}

/// Removes what killed commands left of a file called `name`.
fn sweep(folder: &Path, name: &str) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let found = entry.file_name();
        let number = found.to_str().and_then(|found| found.strip_prefix(&format!(".{name}.")));
        let is_ours =
            number.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_ours
            && is_file
            && File::open(entry.path())
                .is_ok_and(|file| flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok())
        {
            remove(&entry.path());
        }
    }
}

fn remove(path: &Path) {
    std::fs::remove_file(path).unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.tar");
        let name = path.to_str().unwrap();
        // What a killed command of before left goes; a file of another name stays.
        let (left, other) = (folder.path().join(".x.tar.77"), folder.path().join(".x.tar.old"));
        std::fs::write(&left, "half").unwrap();
        std::fs::write(&other, "kept").unwrap();
        let mut output = Output::create(Some(name), "failed").unwrap();
        output.write_all(b"half").unwrap();
        assert!(!left.exists() && other.exists());
        std::fs::remove_file(other).unwrap();
        drop(output);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        let mut output = Output::create(Some(name), "failed").unwrap();
        output.write_all(b"whole").unwrap();
        output.finish().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"whole");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn messages_about_paths() {
        assert_eq!(
            open("nosuch.tar").unwrap_err().message,
            "open nosuch.tar: no such file or directory"
        );
        let error = Output::create(Some("/nosuch/x"), "failed to save image").unwrap_err();
        assert_eq!(
            error.message,
            "failed to save image: invalid output path: stat /nosuch: no such file or directory"
        );
    }
}
