//! Files that commands read and write for the user.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

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
#[derive(Debug)]
pub(crate) struct Output {
    to: To,
}

#[derive(Debug)]
enum To {
    Stdout(io::Stdout),
    File { file: File, written: PathBuf, wanted: PathBuf },
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
        let written = folder.join(format!(".{name}.{}", std::process::id()));
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&written)
            .map_err(|e| CliError::plain(format!("open {path}: {}", reason(&e))))?;
        Ok(Self { to: To::File { file, written, wanted } })
    }

    /// Puts the file in its place.
    pub(crate) fn finish(mut self) -> Result<(), CliError> {
        self.flush()?;
        if let To::File { written, wanted, .. } = &self.to {
            std::fs::rename(written, wanted)
                .map_err(|e| CliError::plain(format!("cannot write {}: {e}", wanted.display())))?;
        }
        Ok(())
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
        if let To::File { written, .. } = &self.to {
            // After `finish` it is gone already.
            remove(written);
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
        let mut output = Output::create(Some(name), "failed").unwrap();
        output.write_all(b"half").unwrap();
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
