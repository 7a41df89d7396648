//! Durations in Go's notation: `1m30s`, `1.5h`, `300ms`, in nanoseconds.

const SECOND: i64 = 1_000_000_000;

/// The units of Go.
const UNITS: [(&str, i64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    // Both signs for micro that Unicode has.
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", SECOND),
    ("m", 60 * SECOND),
    ("h", 3600 * SECOND),
];

/// Those that Compose has beside them.
const LONG_UNITS: [(&str, i64); 2] = [("d", 24 * 3600 * SECOND), ("w", 7 * 24 * 3600 * SECOND)];

/// Why a text is no duration, in Go's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDuration {
    #[error("time: invalid duration {0:?}")]
    Form(String),
    #[error("time: missing unit in duration {0:?}")]
    MissingUnit(String),
    #[error("time: unknown unit {unit:?} in duration {text:?}")]
    UnknownUnit { unit: String, text: String },
}

/// Reads a sign and numbers with units.
///
/// # Errors
/// When it is no duration, or is beyond 63 bits.
pub fn parse(text: &str) -> Result<i64, InvalidDuration> {
    read(text, &[])
}

/// As [`parse`], with days (`d`) and weeks (`w`), as Compose has them.
///
/// # Errors
/// As there.
pub fn parse_long(text: &str) -> Result<i64, InvalidDuration> {
    read(text, &LONG_UNITS)
}

/// As [`parse`], where a sign is a mistake.
pub fn parse_unsigned(text: &str) -> Option<i64> {
    if text.starts_with(['-', '+']) { None } else { parse(text).ok() }
}

fn read(text: &str, more_units: &[(&str, i64)]) -> Result<i64, InvalidDuration> {
    let invalid = || InvalidDuration::Form(text.to_owned());
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total: i64 = 0;
    while !rest.is_empty() {
        let (whole, after) = digits(rest);
        let (fraction, after) = after.strip_prefix('.').map_or(("", after), digits);
        if whole.is_empty() && fraction.is_empty() {
            return Err(invalid());
        }
        let unit_length = after.find(|c: char| c == '.' || c.is_ascii_digit());
        let (unit, after) = after.split_at(unit_length.unwrap_or(after.len()));
        if unit.is_empty() {
            return Err(InvalidDuration::MissingUnit(text.to_owned()));
        }
        let known = UNITS.iter().chain(more_units).find(|(name, _)| *name == unit);
        let Some((_, scale)) = known else {
            let (unit, text) = (unit.to_owned(), text.to_owned());
            return Err(InvalidDuration::UnknownUnit { unit, text });
        };
        let amount = amount(whole, fraction, *scale).ok_or_else(invalid)?;
        total = total.checked_add(amount).ok_or_else(invalid)?;
        rest = after;
    }
    Ok(if negative { -total } else { total })
}

/// The digits that `text` begins with, and the rest.
fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

fn amount(whole: &str, fraction: &str, scale: i64) -> Option<i64> {
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let whole = whole.checked_mul(scale)?;
    if fraction.is_empty() {
        return Some(whole);
    }
    // Digits beyond what 63 bits hold are left out, and the order of operations is Go's: both
    // decide about the last nanosecond.
    let mut digits: i64 = 0;
    let mut unit = 1.0;
    for digit in fraction.bytes().map(|byte| i64::from(byte - b'0')) {
        let Some(more) = digits.checked_mul(10).and_then(|digits| digits.checked_add(digit)) else {
            break;
        };
        digits = more;
        unit *= 10.0;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "a part of one unit, at most a week; Go loses the same digits"
    )]
    whole.checked_add((digits as f64 * (scale as f64 / unit)) as i64)
}

/// As Go prints it: `1h0m0s`, `1.5s`, `300ms`, `0s`.
pub fn format(nanoseconds: i64) -> String {
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let total = nanoseconds.unsigned_abs();
    let text = match total {
        0 => "0s".to_owned(),
        n if n < 1_000 => format!("{n}ns"),
        n if n < 1_000_000 => format!("{}µs", decimal(n, 1_000)),
        n if n < 1_000_000_000 => format!("{}ms", decimal(n, 1_000_000)),
        n => {
            let seconds = decimal(n % 60_000_000_000, 1_000_000_000);
            let minutes = n / 60_000_000_000;
            match (minutes / 60, minutes % 60) {
                (0, 0) => format!("{seconds}s"),
                (0, minutes) => format!("{minutes}m{seconds}s"),
                (hours, minutes) => format!("{hours}h{minutes}m{seconds}s"),
            }
        }
    };
    format!("{sign}{text}")
}

/// `value / unit` with as many digits as it takes.
fn decimal(value: u64, unit: u64) -> String {
    let width = unit.ilog10() as usize;
    let text = format!("{}.{:0width$}", value / unit, value % unit);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::{format, parse, parse_long, parse_unsigned};

    #[test]
    fn there_and_back() {
        for (text, printed) in [
            ("90s", "1m30s"),
            ("1h", "1h0m0s"),
            ("1.5s", "1.5s"),
            ("1m30.05s", "1m30.05s"),
            ("300ms", "300ms"),
            ("10us", "10µs"),
            ("1.5μs", "1.5µs"),
            ("0", "0s"),
            ("0s", "0s"),
            ("-2m", "-2m0s"),
            ("+2m", "2m0s"),
            ("5ns", "5ns"),
            (".5h", "30m0s"),
            ("1.h", "1h0m0s"),
            ("0.29h", "17m24s"),
            ("1.000000001s", "1.000000001s"),
            ("0.12345678901234567890123s", "123.456789ms"),
            ("1h1m1s1ms1us1ns", "1h1m1.001001001s"),
        ] {
            assert_eq!(format(parse(text).unwrap()), printed, "{text}");
            assert_eq!(parse_long(text), parse(text), "{text}");
        }
        assert_eq!(parse_long("1d").map(format), Ok("24h0m0s".to_owned()));
        assert_eq!(parse_long("1w1h").map(format), Ok("169h0m0s".to_owned()));
    }

    #[test]
    fn mistakes() {
        for (text, message) in [
            ("", r#"time: invalid duration """#),
            ("-", r#"time: invalid duration "-""#),
            ("x", r#"time: invalid duration "x""#),
            ("s", r#"time: invalid duration "s""#),
            (".s", r#"time: invalid duration ".s""#),
            ("--1s", r#"time: invalid duration "--1s""#),
            ("5", r#"time: missing unit in duration "5""#),
            ("1h30", r#"time: missing unit in duration "1h30""#),
            ("1..s", r#"time: missing unit in duration "1..s""#),
            ("3parsecs", r#"time: unknown unit "parsecs" in duration "3parsecs""#),
            ("99999999999h", r#"time: invalid duration "99999999999h""#),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), message);
            assert_eq!(parse_long(text).unwrap_err().to_string(), message);
            assert_eq!(parse_unsigned(text), None);
        }
        assert!(parse("1d").is_err());
    }

    #[test]
    fn a_sign_may_be_a_mistake() {
        assert_eq!(parse_unsigned("1h30m"), Some(5_400_000_000_000));
        assert_eq!(parse_unsigned("0"), Some(0));
        assert_eq!((parse_unsigned("-1s"), parse_unsigned("+1s")), (None, None));
    }
}
