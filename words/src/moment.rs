//! Points in time as users type them: `--since` and `--until` of `logs` and `events`.
//!
//! # How it works
//!
//! A text is tried as a duration before now (`42m`, `1h30m`, `0.5s`), as a date with or
//! without time and zone, and as seconds since 1970 with a fraction. A time without a
//! zone is in the zone the caller passes.

use chrono::{DateTime, Offset as _, TimeDelta, TimeZone, Utc};

use crate::{Timestamp, duration};

/// Why a text is no point in time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMoment {
    #[error("failed to parse value as time or duration: \"{0}\"")]
    Form(String),
    /// It looks like a date, and this is what is wrong with it.
    #[error("{0}")]
    Date(String),
}

/// Reads `text`; times without a zone are in `zone` (usually [`chrono::Local`]), as it is now.
///
/// # Errors
/// When it has none of the known forms.
pub fn parse(text: &str, now: Timestamp, zone: &impl TimeZone) -> Result<Timestamp, InvalidMoment> {
    // Zero is the beginning of 1970, not an age.
    let age = duration::parse(text).ok().filter(|_| text != "0").map(TimeDelta::nanoseconds);
    if let Some(time) = age.and_then(|age| now.datetime().checked_sub_signed(age)) {
        return Ok(time.into());
    }
    let offset = zone.offset_from_utc_datetime(&now.datetime().naive_utc()).fix();
    let form = || InvalidMoment::Form(text.to_owned());
    match crate::layout::parse(layout(text), text, offset) {
        Ok(time) => Ok(time.into()),
        // What has a dash was meant for a date.
        Err(why) if text.contains('-') => Err(InvalidMoment::Date(why)),
        Err(_) => parse_unix(text).map(Timestamp::from).ok_or_else(form),
    }
}

/// The layout that a text is read by, chosen as Docker's client does.
fn layout(text: &str) -> &'static str {
    let zoned = text.contains(['z', 'Z', '+']) || text.matches('-').count() == 3;
    if text.contains('.') {
        return match zoned {
            true => "2006-01-02T15:04:05.999999999Z07:00",
            false => "2006-01-02T15:04:05.999999999",
        };
    }
    if !text.contains('T') {
        return if zoned { "2006-01-02Z07:00" } else { "2006-01-02" };
    }
    // The colon of an offset is not one of the time.
    let offset = zoned && !text.contains(['z', 'Z']);
    match (text.matches(':').count().saturating_sub(usize::from(offset)), zoned) {
        (0, false) => "2006-01-02T15",
        (1, false) => "2006-01-02T15:04",
        (_, false) => "2006-01-02T15:04:05",
        (0, true) => "2006-01-02T15Z07:00",
        (1, true) => "2006-01-02T15:04Z07:00",
        (_, true) => "2006-01-02T15:04:05Z07:00",
    }
}

fn parse_unix(text: &str) -> Option<DateTime<Utc>> {
    let (seconds, fraction) = match text.split_once('.') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (text, ""),
    };
    if fraction.len() > 18 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let nanos = format!("{:0<9}", &fraction[..fraction.len().min(9)]).parse().ok()?;
    DateTime::from_timestamp(seconds.parse().ok()?, nanos)
}

/// A time with nine digits of fraction, as `logs -t` and `events` print it.
pub fn nine_digits(time: Timestamp) -> String {
    time.datetime().format("%Y-%m-%dT%H:%M:%S%.9fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::{nine_digits, parse};
    use crate::Timestamp;
    use chrono::FixedOffset;

    fn read(text: &str) -> String {
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let zone = FixedOffset::east_opt(2 * 3600).unwrap();
        parse(text, now, &zone).map_or_else(|error| error.to_string(), |time| time.to_string())
    }

    #[test]
    fn ages_count_back_from_now() {
        assert_eq!(read("42m"), "2026-11-20T11:18:00Z");
        assert_eq!(read("1h30m"), "2026-11-20T10:30:00Z");
        assert_eq!(read("0.5s"), "2026-11-20T11:59:59.5Z");
        assert_eq!(read("1.5h"), "2026-11-20T10:30:00Z");
        assert_eq!(read("300ms"), "2026-11-20T11:59:59.7Z");
        assert_eq!(read("-1m"), "2026-11-20T12:01:00Z");
        assert_eq!(read("0s"), "2026-11-20T12:00:00Z");
        assert_eq!(read("0"), "1970-01-01T00:00:00Z");
    }

    #[test]
    fn dates_without_a_zone_are_local() {
        assert_eq!(read("2000-01-01"), "1999-12-31T22:00:00Z");
        assert_eq!(read("2000-01-01T03:04:05"), "2000-01-01T01:04:05Z");
        assert_eq!(read("2000-01-01T03:04:05.5"), "2000-01-01T01:04:05.5Z");
        assert_eq!(read("2000-01-01Z"), "2000-01-01T00:00:00Z");
        assert_eq!(read("2000-01-01T00:00:00Z"), "2000-01-01T00:00:00Z");
        assert_eq!(read("2000-01-01T00:00:00.25-01:00"), "2000-01-01T01:00:00.25Z");
        assert_eq!(read("2024-01-01T00:00:00,5"), "2023-12-31T22:00:00.5Z");
        assert_eq!(read("2024-01-01T00:00:00,5Z"), "2024-01-01T00:00:00.5Z");
        assert_eq!(
            read("2024-01-01T00:00:00,123456789123+00:00"),
            "2024-01-01T00:00:00.123456789Z"
        );
        assert_eq!(read("2024-01-01T07"), "2024-01-01T05:00:00Z");
        assert_eq!(read("2024-01-01T07Z"), "2024-01-01T07:00:00Z");
        assert_eq!(read("2024-01-01T07:30+01:00"), "2024-01-01T06:30:00Z");
        assert_eq!(read("2024-01-01-01:00"), "2024-01-01T01:00:00Z");
    }

    #[test]
    fn dates_that_are_none_are_refused_in_gos_words() {
        for (text, why) in [
            ("2024-01-01T00:00:60", r#"parsing time "2024-01-01T00:00:60": second out of range"#),
            ("2024-13-01", r#"parsing time "2024-13-01": month out of range"#),
            ("2023-02-29", r#"parsing time "2023-02-29": day out of range"#),
            ("2024-1-1", r#"parsing time "2024-1-1" as "2006-01-02": cannot parse "1-1" as "01""#),
            (
                "2024-01-01 00:00:00",
                r#"parsing time "2024-01-01 00:00:00": extra text: " 00:00:00""#,
            ),
            (
                "2024-01-01T00:00:00,Z",
                "parsing time \"2024-01-01T00:00:00,Z\" as \"2006-01-02T15:04:05Z07:00\": \
                 cannot parse \",Z\" as \"Z07:00\"",
            ),
            (
                "2024-01-01t00:00:00z",
                "parsing time \"2024-01-01t00:00:00z\" as \"2006-01-02Z07:00\": cannot parse \
                 \"t00:00:00z\" as \"Z07:00\"",
            ),
        ] {
            assert_eq!(read(text), why);
        }
    }

    #[test]
    fn seconds_since_1970() {
        assert_eq!(read("1.5"), "1970-01-01T00:00:01.5Z");
        assert_eq!(read("1795218902"), "2026-11-20T23:55:02Z");
        assert_eq!(read("1795218902.195223948"), "2026-11-20T23:55:02.195223948Z");
    }

    #[test]
    fn the_rest_is_refused_in_dockers_words() {
        for text in
            ["1h30x", "bogus", "", "h", "1h30", ".s", "1..2s", "9999999999h", "1.x", "1.", "1,5"]
        {
            assert_eq!(
                read(text),
                format!("failed to parse value as time or duration: \"{text}\"")
            );
        }
    }

    #[test]
    fn printed_with_nine_digits() {
        assert_eq!(
            nine_digits("2026-11-20T23:54:39.9Z".parse().unwrap()),
            "2026-11-20T23:54:39.900000000Z"
        );
    }
}
