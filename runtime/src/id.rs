//! Ids of what is made, and other things by chance.

use crate::error::EngineError;

/// A new id: of a container, or of a session of `exec`.
///
/// # Errors
/// When the kernel has no random bytes.
pub(crate) fn new_id() -> Result<String, EngineError> {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| {
        EngineError::io("get random bytes for an id")(std::io::Error::other(error))
    })?;
    Ok(hex::encode(bytes))
}

/// A number by chance.
#[must_use]
pub fn random() -> u32 {
    // The kernel's generator is ready long before a user can log in.
    getrandom::u32().unwrap_or_default()
}
