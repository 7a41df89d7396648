//! Why no container can be made of a task.

use coracle_words::ErrorKind;

/// Why no container can be made of a task, in the words of Docker where it has some.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContainerError {
    /// A template does not parse, or asks for what is not there.
    #[error("expanding {what} failed: {why}")]
    Expand { what: &'static str, why: String },
    /// A secret or config that is a template, the same.
    #[error("failed to expand templated {what} {name:?}: {why}")]
    Payload { what: &'static str, name: String, why: String },
    /// A mount that makes no sense.
    #[error("{0}")]
    Mount(String),
    /// Something else that makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// Docker has it, this engine does not.
    #[error("{what}: not supported: {why}")]
    Unsupported { what: String, why: &'static str },
}

impl ContainerError {
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Unsupported { .. } => ErrorKind::Unsupported,
            _ => ErrorKind::BadRequest,
        }
    }
}
