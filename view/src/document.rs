//! Documents: objects as JSON.

use serde::Serialize;
use serde_json::Value;

use crate::ViewError;

/// A JSON value of any type that has a JSON form.
///
/// # Errors
/// When it has none.
pub fn value_of(document: &impl Serialize) -> Result<Value, ViewError> {
    serde_json::to_value(document).map_err(|source| ViewError::Json { source })
}
