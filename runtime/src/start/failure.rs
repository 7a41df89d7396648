//! Why a program does not run, as the command line reports it: a code, a message, a hint.

use coracle_words::shorten;
use serde::{Deserialize, Serialize};

/// Exit codes of `run` and `exec`: the program is there but cannot be run, or is not there.
pub(crate) const CANNOT_RUN: i32 = 126;
pub(crate) const NOT_FOUND: i32 = 127;
/// Ours: the container could not be set up.
pub(crate) const SETUP_FAILED: i32 = 125;

/// Why the program does not run, with the exit code for the command line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub code: i32,
    pub message: String,
    /// What to do about it, when we know.
    #[serde(default)]
    pub hint: Option<String>,
}

impl Failure {
    pub(crate) fn new(code: i32, message: impl Into<String>) -> Self {
        let message = shorten(&message.into()).into_owned();
        Self { code, message, hint: None }
    }

    /// The container could not be set up.
    pub(crate) fn setup(message: impl Into<String>) -> Self {
        Self::new(SETUP_FAILED, message)
    }
}
