//! The signals that commands take by name or number.

use crate::error::CliError;

/// A signal by name or number, for the command that is named in the message.
pub(crate) fn signal_number(text: &str) -> Result<i32, CliError> {
    coracle_runtime::processes::signals::parse(text)
        .ok_or_else(|| CliError::engine(format!("invalid signal: {text}")))
}
