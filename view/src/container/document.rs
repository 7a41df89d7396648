//! What `inspect` tells of a container.

use coracle_runtime::Home;
use serde_json::Value;

use super::find::{Known, size};
use crate::ViewError;
use crate::document::value_of;

/// What Docker tells of a container, in its order; `with_size` adds what it takes.
///
/// # Errors
/// When its record cannot be read.
pub fn document(home: &mut Home, known: &Known, with_size: bool) -> Result<Value, ViewError> {
    let mut document = home.engine()?.inspect(&known.container.id)?;
    if with_size {
        let (own, whole) = size(home, known)?;
        document.size_rw = i64::try_from(own).ok();
        document.size_root_fs = i64::try_from(whole).ok();
    }
    value_of(&document)
}
