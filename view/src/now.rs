//! When and where a question is asked: what ages and times without a zone are counted from.

use chrono::{DateTime, FixedOffset, Utc};
use coracle_words::Timestamp;

use crate::ViewError;

/// The moment of a question, and the zone of whoever asks.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    pub time: DateTime<Utc>,
    pub zone: FixedOffset,
}

impl Now {
    /// A moment as `--since`, `--until` and `until=` take it: a time, unix seconds, or an age
    /// such as `42m`.
    ///
    /// # Errors
    /// When it is none of these.
    pub fn moment(&self, text: &str) -> Result<Timestamp, ViewError> {
        Ok(coracle_words::moment::parse(text, self.time.into(), &self.zone)?)
    }
}
