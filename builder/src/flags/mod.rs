//! Values as the command line of a build, bake files and Compose files write them: outputs, caches, secrets, further
//! contexts.
//!
//! # How it works
//!
//! Pure: what is a folder, a file or a variable is found out by whoever asks. Words are those of Docker. What is no
//! part of this version is refused with its name, so that nobody waits for its effect.

pub mod caches;
pub mod contexts;
pub mod outputs;
pub mod pairs;
pub mod secrets;

use coracle_words::ErrorKind;
use coracle_words::strconv::parse_bool;

use crate::instruction::fields;

/// Why a value is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FlagError {
    #[error("{0}")]
    Bad(String),
    /// Docker has it.
    #[error("{what}: not supported: {why}")]
    Unsupported { what: String, why: String },
}

impl FlagError {
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Bad(_) => ErrorKind::BadRequest,
            Self::Unsupported { .. } => ErrorKind::Unsupported,
        }
    }

    pub(crate) fn bad(words: impl Into<String>) -> Self {
        Self::Bad(words.into())
    }

    pub(crate) fn unsupported(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Unsupported { what: what.into(), why: why.into() }
    }
}

/// `KEY=VALUE,KEY=VALUE`, keys in small letters.
fn attributes(text: &str) -> Result<Vec<(String, String)>, FlagError> {
    let fields = fields(text).map_err(|fault| FlagError::Bad(fault.message))?;
    let pair = |field: String| match field.split_once('=') {
        Some((key, value)) => Ok((key.trim().to_lowercase(), value.to_owned())),
        None => Err(FlagError::Bad(format!("invalid value {field}"))),
    };
    fields.into_iter().map(pair).collect()
}

fn truth(what: &str, key: &str, value: &str) -> Result<bool, FlagError> {
    parse_bool(value).ok_or_else(|| {
        FlagError::Bad(format!("invalid value {value:?} for {key} of {what}: it is true or false"))
    })
}
