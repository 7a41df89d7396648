//! Which images a prune may remove.

use coracle_image::{Image, Store};

use super::{labels, parse_time};
use crate::filter::Filters;
use crate::{Now, ViewError};

/// The filters that a prune of images knows.
pub const PRUNE_FILTERS: &[&str] = &["dangling", "label", "label!", "until"];

/// Whether an image passes the filters: its age and its labels. Whether one with a name goes is another question.
///
/// # Errors
/// When `until` is no moment.
pub fn prunable<'a>(
    store: &'a Store,
    filters: &'a Filters,
    now: &Now,
) -> Result<impl Fn(&Image) -> bool + 'a, ViewError> {
    let until = filters.until(now)?;
    let by_label = filters.has("label") || filters.has("label!");
    Ok(move |image: &Image| {
        let old = until.is_none_or(|t| parse_time(&image.created).is_some_and(|c| c < t));
        old && (!by_label || filters.labels(&labels(store, image)))
    })
}
