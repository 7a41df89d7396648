//! All stages in order.

use crate::{Files, LoadError, LoadOptions, Loaded};

/// Reads, merges and checks the files of a project.
pub fn load(options: &LoadOptions, files: &dyn Files) -> Result<Loaded, LoadError> {
    let _ = (options, files);
    Err(LoadError::plain("Compose files are not read yet"))
}
