//! The clock: what time it is, for records, events and logs.

use chrono::Utc;

use crate::model::Timestamp;

/// The present moment.
#[must_use]
pub fn now() -> Timestamp {
    Utc::now().into()
}
