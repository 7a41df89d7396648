//! Why a build failed.

use std::fmt;

use coracle_words::ErrorKind;

use crate::progress::Vertex;
use crate::source::Span;

/// Why a build failed, in BuildKit's words.
#[derive(Debug, Clone)]
pub struct BuildError {
    /// What stands after `failed to solve: `.
    pub message: String,
    /// What can be done about it.
    pub hint: Option<String>,
    /// The request, and the places in its Dockerfile that it is about.
    pub at: Option<(usize, Vec<Span>)>,
    /// The step that failed.
    pub vertex: Option<Vertex>,
    /// Its name.
    pub step: Option<String>,
    /// The end of what its command wrote.
    pub log: Vec<u8>,
    /// The exit code of its command.
    pub exit_code: Option<i32>,
    pub kind: ErrorKind,
}

impl BuildError {
    #[must_use]
    pub fn new(message: impl Into<String>, kind: ErrorKind) -> Self {
        Self {
            message: message.into(),
            hint: None,
            at: None,
            vertex: None,
            step: None,
            log: Vec::new(),
            exit_code: None,
            kind,
        }
    }

    /// Somebody interrupted it.
    #[must_use]
    pub fn canceled() -> Self {
        Self::new("Canceled: context canceled", ErrorKind::Unavailable)
    }

    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for BuildError {}
