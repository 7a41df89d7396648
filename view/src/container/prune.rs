//! Which containers a prune removes.

use coracle_runtime::Home;
use coracle_runtime::model::Container;

use super::{list, time};
use crate::filter::Filters;
use crate::{Now, ViewError};

/// The filters that a prune of containers knows.
pub const PRUNE_FILTERS: &[&str] = &["label", "label!", "until"];

/// The containers that do not run and pass the filters.
///
/// # Errors
/// When they cannot be listed, or `until` is no moment.
pub fn prunable(home: &Home, filters: &Filters, now: &Now) -> Result<Vec<Container>, ViewError> {
    let until = filters.until(now)?;
    let goes = |container: &Container| {
        let old = until.is_none_or(|limit| time(container.created).is_some_and(|t| t < limit));
        old && filters.labels(&container.config.labels)
    };
    let stopped = list(home)?.into_iter().filter(|known| !known.state.status.is_running());
    Ok(stopped.map(|known| known.container).filter(goes).collect())
}
