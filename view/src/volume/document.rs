//! What `volume inspect` tells.

use coracle_runtime::Home;
use serde_json::Value;

use crate::ViewError;
use crate::document::value_of;

/// What Docker tells of a volume; with a `node`, of what that node calls so.
///
/// # Errors
/// When there is none of that name, or its record cannot be read.
pub fn document(home: &Home, name: &str, node: Option<u8>) -> Result<Value, ViewError> {
    value_of(&super::find(home, name, node)?.seen.inspect())
}
