//! Sizes, ages and times as Docker writes them.

use chrono::{DateTime, Local, Utc};

pub(crate) use coracle_runtime::short_id;

const DECIMAL: [&str; 9] = ["B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"];
const BINARY: [&str; 9] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"];

/// Decimal units, four significant digits: `7.798MB`.
pub(crate) fn human_size(bytes: u64) -> String {
    scaled(bytes, 1000.0, &DECIMAL, 4)
}

/// Decimal units, three significant digits: `7.8MB`.
pub(crate) fn short_size(bytes: u64) -> String {
    scaled(bytes, 1000.0, &DECIMAL, 3)
}

/// Binary units, four significant digits: `23.54GiB`.
pub(crate) fn binary_size(bytes: u64) -> String {
    scaled(bytes, 1024.0, &BINARY, 4)
}

fn scaled(bytes: u64, base: f64, units: &[&str], digits: usize) -> String {
    #[expect(clippy::cast_precision_loss, reason = "four digits are shown")]
    let mut size = bytes as f64;
    let mut unit = 0;
    while size >= base && unit + 1 < units.len() {
        size /= base;
        unit += 1;
    }
    format!("{}{}", significant(size, digits), units[unit])
}

/// A number with so many significant digits and no trailing zeros, as C's `%.*g`.
fn significant(value: f64, digits: usize) -> String {
    if value == 0.0 {
        return "0".into();
    }
    let scientific = format!("{value:.*e}", digits - 1);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let strip = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    match usize::try_from(exponent) {
        Ok(exponent) if exponent < digits => strip(&format!("{value:.*}", digits - 1 - exponent)),
        Ok(exponent) => format!("{}e+{exponent:02}", strip(mantissa)),
        Err(_) => {
            let places = usize::try_from(-exponent).unwrap_or(0) + digits - 1;
            strip(&format!("{value:.places$}"))
        }
    }
}

/// How long ago, in words: `About a minute`.
pub(crate) fn age(seconds: i64) -> String {
    let minutes = seconds / 60;
    // Rounded to the nearest hour, as Docker does.
    let hours = (seconds + 1800) / 3600;
    match (seconds, minutes, hours) {
        (i64::MIN..=0, ..) => "Less than a second".into(),
        (1, ..) => "1 second".into(),
        (2..=59, ..) => format!("{seconds} seconds"),
        (_, 1, _) => "About a minute".into(),
        (_, 2..=59, _) => format!("{minutes} minutes"),
        (_, _, 1) => "About an hour".into(),
        (_, _, 2..=47) => format!("{hours} hours"),
        (_, _, 48..=335) => format!("{} days", hours / 24),
        (_, _, 336..=1439) => format!("{} weeks", hours / 24 / 7),
        (_, _, 1440..=17519) => format!("{} months", hours / 24 / 30),
        _ => format!("{} years", seconds / 3600 / 24 / 365),
    }
}

/// `age` between a moment and now, followed by `ago`.
pub(crate) fn ago(then: DateTime<Utc>, now: DateTime<Utc>) -> String {
    format!("{} ago", age((now - then).num_seconds()))
}

/// `2006-01-02 15:04:05 -0700 MST` in the local zone.
pub(crate) fn created_at(then: DateTime<Utc>) -> String {
    let local = then.with_timezone(&Local);
    let offset = local.format("%z").to_string();
    let zone = if offset == "+0000" { "UTC".to_owned() } else { offset.clone() };
    format!("{} {offset} {zone}", local.format("%Y-%m-%d %H:%M:%S"))
}

/// RFC 3339 in whole seconds, local zone: `2026-11-20T23:56:11Z`.
pub(crate) fn rfc3339_seconds(then: DateTime<Utc>) -> String {
    let local = then.with_timezone(&Local);
    local.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

/// Cuts to `width` characters, the last one an ellipsis.
pub(crate) fn ellipsis(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}
