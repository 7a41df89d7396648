//! Why a build failed.

use std::fmt;

use coracle_image::ImageError;
use coracle_runtime::EngineError;
use coracle_words::ErrorKind;
use serde::{Deserialize, Serialize};

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
    pub step: Option<Box<FailedStep>>,
    pub kind: ErrorKind,
}

/// A step that failed.
#[derive(Debug, Clone)]
pub struct FailedStep {
    pub vertex: Vertex,
    pub name: String,
    /// The end of what its command wrote.
    pub log: Vec<u8>,
    /// The exit code of its command.
    pub exit_code: Option<i32>,
    /// Its command, where it is one.
    pub command: Option<Vec<String>>,
}

impl BuildError {
    #[must_use]
    pub fn new(message: impl Into<String>, kind: ErrorKind) -> Self {
        Self { message: message.into(), hint: None, at: None, step: None, kind }
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
/// Why a step failed; children send it to their parent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StepError {
    pub message: String,
    pub hint: Option<String>,
    pub exit_code: Option<i32>,
    /// The engine or the host failed, not what was asked for.
    pub is_internal: bool,
    /// The line of work that failed, where it is not that of the step.
    pub told: Option<(Vertex, String)>,
    /// Somebody interrupted it.
    pub is_canceled: bool,
    /// What it takes from elsewhere failed: as in BuildKit, nothing of the Dockerfile is shown for that.
    pub is_of_source: bool,
}

impl StepError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }

    /// What failed is not of the user's making.
    pub(crate) fn internal(doing: &str, error: &dyn std::error::Error) -> Self {
        let mut message = format!("{doing}: {error}");
        let mut cause = error.source();
        while let Some(error) = cause {
            message = format!("{message}: {error}");
            cause = error.source();
        }
        Self { message, is_internal: true, ..Self::default() }
    }
}

impl From<EngineError> for StepError {
    fn from(error: EngineError) -> Self {
        let mut out = Self::internal("engine", &error);
        out.hint = error.hint();
        out
    }
}

impl From<ImageError> for StepError {
    fn from(error: ImageError) -> Self {
        Self::internal("store", &error)
    }
}

impl From<StepError> for BuildError {
    fn from(error: StepError) -> Self {
        if error.is_canceled {
            return Self::canceled();
        }
        let kind = if error.is_internal { ErrorKind::Internal } else { ErrorKind::BadRequest };
        let StepError { message, hint, .. } = error;
        Self { hint, ..Self::new(message, kind) }
    }
}
