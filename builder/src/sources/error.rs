//! Why something could not be had from elsewhere.
//!
//! # How it works
//!
//! The words of a failure that BuildKit knows are BuildKit's, with what it puts before them: looking a source up is
//! part of `load cache key`. Children hand errors up as text with its kind and hint ([`SourceError::Told`]).

use std::io;

use coracle_image::DownloadError;
use coracle_words::ErrorKind;
use serde::{Deserialize, Serialize};

use crate::limits::{HTTP_SOURCE_BYTES_MAX, SECRET_BYTES_MAX};

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    #[error("failed to load cache key: invalid response status {status}")]
    Status { status: u16 },

    #[error("failed to load cache key: {0}")]
    Download(#[source] DownloadError),

    #[error(
        "failed to load cache key: {url} is larger than {HTTP_SOURCE_BYTES_MAX} bytes, the most \
         that a build takes"
    )]
    TooLarge { url: String },

    #[error("failed to load cache key: digest mismatch for {url}: {got} (expected: {wanted})")]
    Checksum { url: String, got: String, wanted: String },

    /// Of git, when it is looked up.
    #[error("failed to load cache key: {0}")]
    Repository(String),

    /// Of git, when it is fetched.
    #[error("{0}")]
    Fetch(String),

    #[error("failed to load cache key: git is not installed: `{name}` comes from a git repository")]
    NoGit { name: String },

    #[error("secret {id}: not found")]
    NoSecret { id: String },

    #[error("secret {id} too big. max size {SECRET_BYTES_MAX} bytes")]
    SecretTooBig { id: String },

    #[error("cannot read secret {id}")]
    Secret { id: String, source: io::Error },

    #[error("unset ssh forward key {id}")]
    NoAgent { id: String },

    #[error("cannot forward the agent {id} to a step: {what}")]
    Agent { id: String, what: String, source: io::Error },

    #[error("cannot {what} `{path}`")]
    File { what: &'static str, path: String, source: io::Error },

    #[error("cannot {what}")]
    Child { what: &'static str, source: io::Error },

    /// As a child told it.
    #[error("{0}")]
    Told(Told),
}

/// An error that has crossed a border between processes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    words: String,
    hint: Option<String>,
    is_unavailable: bool,
}

impl std::fmt::Display for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.words)
    }
}

impl SourceError {
    pub(super) fn file(
        what: &'static str,
        path: &std::path::Path,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.display().to_string();
        move |source| Self::File { what, path, source }
    }

    /// What a parent is told.
    #[must_use]
    pub fn told(&self) -> Told {
        let mut words = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let text = error.to_string();
            if !words.ends_with(&text) {
                words = format!("{words}: {text}");
            }
            cause = error.source();
        }
        let is_unavailable = self.kind() == ErrorKind::Unavailable;
        Told { words, hint: self.hint(), is_unavailable }
    }

    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NoGit { .. } => ErrorKind::Unavailable,
            Self::Told(told) if told.is_unavailable => ErrorKind::Unavailable,
            Self::NoSecret { .. } | Self::NoAgent { .. } => ErrorKind::NotFound,
            Self::SecretTooBig { .. } => ErrorKind::BadRequest,
            _ => ErrorKind::Internal,
        }
    }

    /// One sentence that tells the user what to do next, when we know it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoGit { .. } => {
                Some("install git, or build from a folder that was cloned elsewhere".to_owned())
            }
            Self::Download(error) => error.hint(),
            Self::Told(told) => told.hint.clone(),
            Self::NoAgent { id } => Some(format!("give the build an agent: `--ssh {id}`")),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parent_hears_words_causes_and_hint() {
        let error = SourceError::File {
            what: "write",
            path: "/x".to_owned(),
            source: io::Error::other("no room"),
        };
        let told = error.told();
        assert_eq!(told.to_string(), "cannot write `/x`: no room");
        let told = SourceError::NoGit { name: "git://h/x".to_owned() }.told();
        let error = SourceError::Told(told);
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.hint().unwrap().starts_with("install git"));
    }
}
