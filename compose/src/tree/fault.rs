//! What a stage says when it cannot go on.

use super::{At, Path};

pub(crate) type Result<T> = std::result::Result<T, Fault>;

/// A mistake at a place; turned into [`crate::LoadError`] where files have names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) at: Option<At>,
    pub(crate) key: Option<String>,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl Fault {
    pub(crate) fn new(at: At, path: &Path<'_>, message: impl Into<String>) -> Self {
        let key = Some(path.to_string()).filter(|key| !key.is_empty());
        Self { at: Some(at), key, message: message.into(), hint: None }
    }

    /// A fault of the file rather than of an attribute.
    pub(crate) fn in_file(at: At, message: impl Into<String>) -> Self {
        Self { at: Some(at), key: None, message: message.into(), hint: None }
    }

    pub(crate) fn plain(message: impl Into<String>) -> Self {
        Self { at: None, key: None, message: message.into(), hint: None }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
