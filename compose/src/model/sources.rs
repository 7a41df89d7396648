//! The files read so far, and what they are called in messages.

use std::cell::{Cell, RefCell};
use std::path::Path;

use crate::error::LoadError;
use crate::files::{FileKind, Files};
use crate::limits::{ALL_FILES_BYTES_MAX, FILE_BYTES_MAX, FILES_MAX};
use crate::stages::paths::join;
use crate::tree::{At, Fault, Result};

/// Reads files and remembers them.
pub(crate) struct Sources<'a> {
    files: &'a dyn Files,
    current_dir: String,
    names: RefCell<Vec<String>>,
    bytes: Cell<usize>,
}

impl<'a> Sources<'a> {
    pub(crate) fn new(files: &'a dyn Files, current_dir: String) -> Self {
        Self { files, current_dir, names: RefCell::default(), bytes: Cell::default() }
    }

    pub(crate) fn kind(&self, path: &str) -> FileKind {
        self.files.kind(Path::new(&self.full(path)))
    }

    /// Paths that were left relative are relative to the current folder.
    fn full(&self, path: &str) -> String {
        if path.starts_with('/') { path.to_owned() } else { join(&self.current_dir, path) }
    }

    /// The content of a file, and its index in places.
    pub(crate) fn read(&self, path: &str) -> Result<(u16, Vec<u8>)> {
        let bytes = if path == "-" {
            self.files.read_stdin()
        } else {
            self.files.read(Path::new(&self.full(path)))
        };
        let bytes = bytes.map_err(|error| {
            let why = error.to_string();
            let why = why.split(" (os error").next().unwrap_or_default().to_lowercase();
            Fault::plain(format!("open {path}: {why}"))
        })?;
        let mut names = self.names.borrow_mut();
        if names.len() >= FILES_MAX {
            return Err(Fault::plain(format!("more than {FILES_MAX} files: {path} is not read")));
        }
        self.bytes.set(self.bytes.get() + bytes.len());
        if self.bytes.get() > ALL_FILES_BYTES_MAX {
            let most = ALL_FILES_BYTES_MAX >> 20;
            return Err(Fault::plain(format!("more than {most} MB of files: {path} is not read")));
        }
        let index = u16::try_from(names.len()).unwrap_or(u16::MAX);
        names.push(self.shown(path));
        Ok((index, bytes))
    }

    /// As [`Sources::read`], as text: for files of variables.
    pub(crate) fn read_text(&self, path: &str) -> Result<(u16, String)> {
        let (file, bytes) = self.read(path)?;
        let at = At { file, line: 0, column: 0 };
        if bytes.len() > FILE_BYTES_MAX {
            let text = format!("larger than {} MB: not a file of variables", FILE_BYTES_MAX >> 20);
            return Err(Fault::in_file(at, text));
        }
        let text = String::from_utf8(bytes).map_err(|_| Fault::in_file(at, "not UTF-8 text"))?;
        Ok((file, text))
    }

    /// Relative to the current folder when it is below it.
    fn shown(&self, path: &str) -> String {
        let below = path.strip_prefix(&self.current_dir).and_then(|rest| rest.strip_prefix('/'));
        below.unwrap_or(path).to_owned()
    }

    /// Puts names to places.
    pub(crate) fn error(&self, fault: Fault, warnings: Vec<String>) -> LoadError {
        let names = self.names.borrow();
        let place = fault.at.map(|at| {
            let name = names.get(usize::from(at.file)).map_or("", String::as_str);
            match (at.line, at.column) {
                (0, _) => name.to_owned(),
                (line, 0) => format!("{name}:{line}"),
                (line, column) => format!("{name}:{line}:{column}"),
            }
        });
        LoadError { place, key: fault.key, message: fault.message, hint: fault.hint, warnings }
    }
}
