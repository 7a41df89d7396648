//! What a request is refused with: a status and words.

use coracle_image::{ImageError, TransferError};
use coracle_runtime::EngineError;
use coracle_view::ViewError;
use coracle_words::ErrorKind;
use serde_json::{Value, json};

/// A status of HTTP and the words that go with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    pub status: u16,
    pub message: String,
}

impl ApiError {
    /// Any status with any words.
    pub fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    pub(crate) fn bad(message: impl Into<String>) -> Self {
        Self::new(400, message)
    }

    /// Docker has it and we do not.
    pub(crate) fn unsupported(what: &str, why: &str) -> Self {
        Self::new(501, format!("{what}: not supported: {why}"))
    }

    /// With the status that Docker has for this, whatever kind it is.
    pub(crate) fn with(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// As it is sent.
    pub(crate) fn body(&self) -> Value {
        json!({ "message": self.message })
    }

    /// Of an error with its causes in one line.
    fn of(kind: ErrorKind, error: &dyn std::error::Error, hint: Option<String>) -> Self {
        let mut message = error.to_string();
        let mut last = message.clone();
        let mut next = error.source();
        while let Some(cause) = next {
            let text = cause.to_string();
            // A transparent error has the words of its cause.
            if text != last {
                message.push_str(&format!(": {text}"));
            }
            last = text;
            next = cause.source();
        }
        if let Some(hint) = hint {
            message.push_str(&format!(" (hint: {hint})"));
        }
        Self::new(kind.status(), message)
    }
}

impl From<ViewError> for ApiError {
    fn from(error: ViewError) -> Self {
        Self::of(error.kind(), &error, error.hint())
    }
}

impl From<EngineError> for ApiError {
    fn from(error: EngineError) -> Self {
        // What cannot be executed is the request's fault, as with Docker; a network that cannot be had is not.
        if let EngineError::Start(failure) = &error {
            match failure.code {
                126 | 127 => return Self::new(400, error.to_string()),
                128 if failure.message.ends_with(" not found") => {
                    return Self::new(404, error.to_string());
                }
                128 => return Self::new(500, error.to_string()),
                _ => {}
            }
        }
        ViewError::from(error).into()
    }
}

impl From<ImageError> for ApiError {
    fn from(error: ImageError) -> Self {
        ViewError::from(error).into()
    }
}

impl From<TransferError> for ApiError {
    fn from(error: TransferError) -> Self {
        let kind = match &error {
            TransferError::Store(error) => error.kind(),
            _ if error.is_not_found() => ErrorKind::NotFound,
            // Docker answers so also to a registry that refuses, or is not there.
            _ => ErrorKind::Internal,
        };
        Self::of(kind, &error, error.hint())
    }
}

impl From<std::io::Error> for ApiError {
    fn from(error: std::io::Error) -> Self {
        Self::new(500, format!("the request broke off: {error}"))
    }
}

impl From<serde_json::Error> for ApiError {
    fn from(error: serde_json::Error) -> Self {
        Self::bad(format!("invalid JSON: {error}"))
    }
}
