//! What `volume inspect` tells.

use coracle_runtime::Home;
use serde_json::Value;

use crate::ViewError;
use crate::document::value_of;

/// What Docker tells of a volume.
///
/// # Errors
/// When there is none of that name, or its record cannot be read.
pub fn document(home: &Home, name: &str) -> Result<Value, ViewError> {
    value_of(&home.engine()?.volumes.get(name)?.inspect())
}
