//! Sums of moments and nanoseconds.

use chrono::TimeDelta;
use coracle_words::Timestamp;

/// A second in nanoseconds, the unit of the API.
pub(super) const SECOND: i64 = 1_000_000_000;

/// The moment so many nanoseconds later; the moment itself when there is no such moment.
pub(super) fn after(moment: Timestamp, nanoseconds: i64) -> Timestamp {
    moment
        .datetime()
        .checked_add_signed(TimeDelta::nanoseconds(nanoseconds))
        .map_or(moment, Timestamp::from)
}
