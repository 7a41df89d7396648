//! Times read by a layout of Go's, with Go's words for what does not fit.
//!
//! # How it works
//!
//! A layout is the reference time `2006-01-02T15:04:05Z07:00` or a part of it. Seconds may have
//! a fraction after a point or a comma, whether or not the layout has one.

use chrono::{DateTime, FixedOffset, NaiveDate, TimeZone, Utc};

/// The parts of a layout, each as Go writes it.
const PARTS: [&str; 8] = ["2006", "01", "02", "15", "04", "05", ".999999999", "Z07:00"];

/// What has been read so far.
#[derive(Debug, Default)]
struct Read {
    year: i32,
    /// Month, day, hour, minute, second.
    fields: [u32; 5],
    nanos: u32,
    zone: Option<FixedOffset>,
}

/// Reads all of `text`; a time without a zone is in `zone`.
pub(crate) fn parse(layout: &str, text: &str, zone: FixedOffset) -> Result<DateTime<Utc>, String> {
    let misfit = |rest: &str, part: &str| {
        format!("parsing time {text:?} as {layout:?}: cannot parse {rest:?} as {part:?}")
    };
    let outside = |what: &str| format!("parsing time {text:?}: {what} out of range");
    let (mut left, mut rest) = (layout, text);
    let mut read = Read { fields: [1, 1, 0, 0, 0], ..Read::default() };
    while !left.is_empty() {
        let part = PARTS.iter().find(|part| left.starts_with(**part));
        let part = part.copied().unwrap_or_else(|| left.get(..1).unwrap_or(left));
        left = left.strip_prefix(part).unwrap_or_default();
        rest = match part {
            "2006" => {
                let (year, more) = digits(rest, 4).ok_or_else(|| misfit(rest, part))?;
                read.year = i32::try_from(year).unwrap_or(i32::MAX);
                more
            }
            ".999999999" => fraction(rest, &mut read.nanos),
            "Z07:00" => {
                let (found, more) = offset(rest).ok_or_else(|| misfit(rest, part))?;
                read.zone = Some(found.ok_or_else(|| outside("time zone offset hour"))?);
                more
            }
            "01" | "02" | "15" | "04" | "05" => {
                let (number, more) = digits(rest, 2).ok_or_else(|| misfit(rest, part))?;
                let place = PARTS.iter().position(|known| *known == part).unwrap_or(1) - 1;
                let (what, least, most) = LIMITS[place];
                if number < least || number > most {
                    return Err(outside(what));
                }
                read.fields[place] = number;
                let reads_fraction = part == "05" && !left.starts_with('.');
                if reads_fraction { fraction(more, &mut read.nanos) } else { more }
            }
            literal => rest.strip_prefix(literal).ok_or_else(|| misfit(rest, literal))?,
        };
    }
    if !rest.is_empty() {
        return Err(format!("parsing time {text:?}: extra text: {rest:?}"));
    }
    let [month, day, hour, minute, second] = read.fields;
    let date = NaiveDate::from_ymd_opt(read.year, month, day);
    let time = date.and_then(|date| date.and_hms_nano_opt(hour, minute, second, read.nanos));
    let time = time.ok_or_else(|| outside("day"))?;
    let time = read.zone.unwrap_or(zone).from_local_datetime(&time).single();
    Ok(time.ok_or_else(|| outside("time"))?.with_timezone(&Utc))
}

/// What a field is called, its least and its greatest value; days depend on the month.
const LIMITS: [(&str, u32, u32); 5] =
    [("month", 1, 12), ("day", 0, 99), ("hour", 0, 23), ("minute", 0, 59), ("second", 0, 59)];

fn digits(text: &str, count: usize) -> Option<(u32, &str)> {
    let (number, rest) = text.split_at_checked(count)?;
    number.bytes().all(|byte| byte.is_ascii_digit()).then_some(())?;
    Some((number.parse().ok()?, rest))
}

/// A fraction of a second, if there is one; what is finer than a nanosecond is left out.
fn fraction<'t>(text: &'t str, nanos: &mut u32) -> &'t str {
    let Some(rest) = text.strip_prefix(['.', ',']) else { return text };
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    if end == 0 {
        return text;
    }
    let digits = &rest[..end.min(9)];
    *nanos = format!("{digits:0<9}").parse().unwrap_or(0);
    &rest[end..]
}

/// `Z` or `+07:00`; `Some(None)` when it is no offset that can be.
fn offset(text: &str) -> Option<(Option<FixedOffset>, &str)> {
    if let Some(rest) = text.strip_prefix('Z') {
        return Some((FixedOffset::east_opt(0), rest));
    }
    let (sign, rest) = text.split_at_checked(1)?;
    let (hours, rest) = digits(rest, 2)?;
    let (minutes, rest) = digits(rest.strip_prefix(':')?, 2)?;
    let seconds = i32::try_from(hours * 3600 + minutes * 60).ok()?;
    let seconds = match sign {
        "+" => seconds,
        "-" => -seconds,
        _ => return None,
    };
    Some((FixedOffset::east_opt(seconds).filter(|_| hours <= 24 && minutes <= 60), rest))
}
