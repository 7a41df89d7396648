//! Why a project could not be loaded.

use std::fmt;

/// A mistake in a file or in what was asked for: `FILE:LINE:COLUMN: KEY: what is wrong`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct LoadError {
    /// `FILE:LINE:COLUMN`, when it is the fault of a place in a file.
    pub place: Option<String>,
    /// The attribute at fault, such as `services.web.ports[0]`.
    pub key: Option<String>,
    pub message: String,
    /// What to do about it, when that is known.
    pub hint: Option<String>,
    /// What was noticed before; it may explain the fault.
    pub warnings: Vec<String>,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in [&self.place, &self.key].into_iter().flatten() {
            write!(f, "{part}: ")?;
        }
        f.write_str(&self.message)
    }
}
