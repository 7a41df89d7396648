//! Times as Go prints them: RFC 3339 in UTC, nanoseconds without trailing zeros.
//!
//! The zero time of Go, 1 January of year 1, stands for "never" in Docker's JSON;
//! [`Timestamp::ZERO`] is that value and the default.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Timelike, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A moment in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(DateTime<Utc>);

/// Why a text is not a time.
#[derive(Debug, thiserror::Error)]
#[error("cannot read `{text}` as an RFC 3339 time")]
pub struct ParseTimestampError {
    text: String,
    source: chrono::ParseError,
}

impl Timestamp {
    /// "Never": `0001-01-01T00:00:00Z`.
    pub const ZERO: Self = Self(
        NaiveDateTime::new(
            match NaiveDate::from_ymd_opt(1, 1, 1) {
                Some(date) => date,
                None => NaiveDate::MIN,
            },
            NaiveTime::MIN,
        )
        .and_utc(),
    );

    /// So many seconds after the begin of 1970; `None` for years that nobody writes.
    pub fn of_seconds(seconds: i64) -> Option<Self> {
        DateTime::from_timestamp(seconds, 0).map(Self)
    }

    /// True for [`Timestamp::ZERO`].
    pub fn is_zero(self) -> bool {
        self == Self::ZERO
    }

    /// The same moment for arithmetic and other formats.
    pub fn datetime(self) -> DateTime<Utc> {
        self.0
    }
}

impl Default for Timestamp {
    fn default() -> Self {
        Self::ZERO
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(value: DateTime<Utc>) -> Self {
        Self(value)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.format("%Y-%m-%dT%H:%M:%S"))?;
        let nanos = self.0.nanosecond();
        if nanos != 0 {
            let digits = format!("{nanos:09}");
            write!(f, ".{}", digits.trim_end_matches('0'))?;
        }
        f.write_str("Z")
    }
}

impl FromStr for Timestamp {
    type Err = ParseTimestampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        DateTime::parse_from_rfc3339(text)
            .map(|time| Self(time.with_timezone(&Utc)))
            .map_err(|source| ParseTimestampError { text: text.to_owned(), source })
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::Timestamp;

    #[test]
    fn prints_as_go_does() {
        for text in [
            "2026-11-20T23:54:39.907517755Z",
            "2026-11-20T23:54:39.9Z",
            "2026-11-20T23:54:39.00000012Z",
            "2026-11-20T23:54:39Z",
        ] {
            assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), text);
        }
        let zoned: Timestamp = "2026-11-20T23:54:39+02:00".parse().unwrap();
        assert_eq!(zoned.to_string(), "2026-11-20T21:54:39Z");
    }

    #[test]
    fn zero_is_the_default() {
        assert_eq!(Timestamp::default().to_string(), "0001-01-01T00:00:00Z");
        assert!("0001-01-01T00:00:00Z".parse::<Timestamp>().unwrap().is_zero());
    }

    #[test]
    fn refuses_other_text() {
        let error = "yesterday".parse::<Timestamp>().unwrap_err();
        assert_eq!(error.to_string(), "cannot read `yesterday` as an RFC 3339 time");
    }
}
