//! `formatdate("YYYY-MM-DD", timestamp())` and `formattimestamp`, of times in UTC.

use coracle_words::Timestamp;

use super::{Outcome, text};
use crate::bake::value::Value;

pub(super) const NAMES: &[&str] = &["formatdate", "formattimestamp"];

/// Sequences of the format in terms of `strftime`, the longest first.
const SEQUENCES: &[(&str, &str)] = &[
    ("YYYY", "%Y"),
    ("YY", "%y"),
    ("MMMM", "%B"),
    ("MMM", "%b"),
    ("MM", "%m"),
    ("M", "%-m"),
    ("DD", "%d"),
    ("D", "%-d"),
    ("EEEE", "%A"),
    ("EEE", "%a"),
    ("hh", "%H"),
    ("h", "%-H"),
    ("HH", "%I"),
    ("H", "%-I"),
    ("AA", "%p"),
    ("aa", "%P"),
    ("mm", "%M"),
    ("m", "%-M"),
    ("ss", "%S"),
    ("s", "%-S"),
    ("ZZZZZ", "+00:00"),
    ("ZZZZ", "+0000"),
    ("ZZZ", "UTC"),
    ("Z", "Z"),
];

pub(super) fn call(name: &str, given: &[Value]) -> Option<Outcome> {
    match (name, given) {
        ("formatdate" | "formattimestamp", [form, time]) => Some(formatted(form, time)),
        _ => None,
    }
}

fn formatted(form: &Value, time: &Value) -> Outcome {
    let (form, time) = (text(form)?, text(time)?);
    let time: Timestamp =
        time.parse().map_err(|_| "timestamp string must be RFC3339".to_owned())?;
    let time = time.datetime();
    if form == "X" {
        return Ok(Value::Text(time.timestamp().to_string()));
    }
    let mut out = String::new();
    let mut rest = form.as_str();
    while let Some(letter) = rest.chars().next() {
        if let Some(quoted) = rest.strip_prefix('\'') {
            let (inner, after) =
                quoted.split_once('\'').ok_or("missing closing quote ' in the format")?;
            out.push_str(if inner.is_empty() { "'" } else { inner });
            rest = after;
        } else if letter.is_ascii_alphabetic() {
            let same = rest.len() - rest.trim_start_matches(letter).len();
            let (sequence, after) = rest.split_at(same);
            let known = SEQUENCES.iter().find(|(one, _)| *one == sequence);
            let (_, with) =
                known.ok_or_else(|| format!("unknown verb {sequence:?} in the format"))?;
            out.push_str(&time.format(with).to_string());
            rest = after;
        } else {
            out.push(letter);
            rest = &rest[letter.len_utf8()..];
        }
    }
    Ok(Value::Text(out))
}
