//! Values that the canonical form writes in words: durations, sizes, numbers as text.

use std::fmt;

use coracle_words::duration;
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

/// A duration such as `1m30s`, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Duration {
    pub nanoseconds: i64,
}

impl Duration {
    /// Whole seconds, rounded up: a grace of 1.5 s is not cut short.
    #[must_use]
    pub fn seconds(self) -> i64 {
        const SECOND: i64 = 1_000_000_000;
        self.nanoseconds / SECOND + i64::from(self.nanoseconds % SECOND > 0)
    }
}

/// A number of bytes, written as text or number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bytes(pub i64);

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let wrong = || D::Error::invalid_value(Unexpected::Str(&text), &"a duration");
        duration::parse_unsigned(&text).map(|nanoseconds| Self { nanoseconds }).ok_or_else(wrong)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        integer(deserializer).map(Self)
    }
}

/// An integer, or one written as text.
pub(super) fn integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    struct Number;
    impl Visitor<'_> for Number {
        type Value = i64;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a whole number")
        }
        fn visit_i64<E: Error>(self, value: i64) -> Result<i64, E> {
            Ok(value)
        }
        fn visit_u64<E: Error>(self, value: u64) -> Result<i64, E> {
            i64::try_from(value).map_err(|_| E::invalid_value(Unexpected::Unsigned(value), &self))
        }
        fn visit_f64<E: Error>(self, value: f64) -> Result<i64, E> {
            #[expect(clippy::cast_possible_truncation, reason = "it is compared afterwards")]
            let whole = value as i64;
            #[expect(clippy::cast_precision_loss, reason = "only whole values are let through")]
            let same = (whole as f64 - value).abs() < f64::EPSILON;
            if same { Ok(whole) } else { Err(E::invalid_value(Unexpected::Float(value), &self)) }
        }
        fn visit_str<E: Error>(self, text: &str) -> Result<i64, E> {
            text.parse().map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
        }
    }
    deserializer.deserialize_any(Number)
}

/// As [`integer`], for a value that may be missing.
pub(super) fn maybe_integer<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<i64>, D::Error> {
    integer(deserializer).map(Some)
}

/// A number of CPUs in billionths, from a number or text.
pub(super) fn nano_cpus<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<i64>, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    let number = value.as_f64().or_else(|| value.as_str()?.parse().ok());
    let number = number.filter(|cpus| (0.0..1e9).contains(cpus));
    let number = number.ok_or_else(|| D::Error::custom(format!("{value} is no number of CPUs")))?;
    #[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
    Ok(Some((number * 1e9).round() as i64))
}

/// A list or `null`.
pub(super) fn words<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<String>>, D::Error> {
    Option::<Vec<String>>::deserialize(deserializer)
}

/// Text, or a scalar that stands for it.
pub(super) fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let list = Vec::<serde_json::Value>::deserialize(deserializer)?;
    Ok(list.into_iter().map(text_of).collect())
}

/// A scalar as text.
pub(super) fn text_of(value: serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Bytes, Duration};

    #[test]
    fn durations_have_no_sign() {
        let read = |text| serde_json::from_value::<Duration>(serde_json::json!(text)).ok();
        let nanoseconds = 1_500_000_000;
        assert_eq!(read("1.5s"), Some(Duration { nanoseconds }));
        assert_eq!((read("-1.5s"), read("5"), read("")), (None, None, None));
        assert_eq!(Duration { nanoseconds }.seconds(), 2);
    }

    #[test]
    fn sizes_are_text_or_numbers() {
        assert_eq!(serde_json::from_str::<Bytes>("\"1024\"").unwrap(), Bytes(1024));
        assert_eq!(serde_json::from_str::<Bytes>("7").unwrap(), Bytes(7));
        assert!(serde_json::from_str::<Bytes>("\"1k\"").is_err());
    }
}
