//! Functions of text.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use regex::Regex;
use sha2::Digest as _;

use super::format::format;
use super::{Outcome, count, list, text, whole};
use crate::bake::value::Value;

pub(super) const NAMES: &[&str] = &[
    "base64decode",
    "base64encode",
    "basename",
    "byteslen",
    "chomp",
    "dirname",
    "format",
    "indent",
    "join",
    "jsondecode",
    "jsonencode",
    "lower",
    "regex",
    "regexall",
    "regex_replace",
    "replace",
    "reverse",
    "sanitize",
    "sha256",
    "sha512",
    "split",
    "strlen",
    "substr",
    "title",
    "trim",
    "trimprefix",
    "trimspace",
    "trimsuffix",
    "upper",
    "urlencode",
];

pub(super) fn call(name: &str, given: &[Value]) -> Option<Outcome> {
    Some(match (name, given) {
        ("upper", [one]) => on(one, str::to_uppercase),
        ("lower", [one]) => on(one, str::to_lowercase),
        ("title", [one]) => on(one, title),
        ("chomp", [one]) => on(one, |text| text.trim_end_matches(['\n', '\r']).to_owned()),
        ("trimspace", [one]) => on(one, |text| text.trim().to_owned()),
        ("trim", [one, set]) => {
            two(one, set, |text, set| text.trim_matches(|letter| set.contains(letter)).to_owned())
        }
        ("trimprefix", [one, cut]) => {
            two(one, cut, |text, cut| text.strip_prefix(cut).unwrap_or(text).to_owned())
        }
        ("trimsuffix", [one, cut]) => {
            two(one, cut, |text, cut| text.strip_suffix(cut).unwrap_or(text).to_owned())
        }
        ("reverse", [one @ Value::Text(_)]) => on(one, |text| text.chars().rev().collect()),
        ("strlen", [one]) => text(one).map(|text| count(text.chars().count())),
        ("byteslen", [one]) => text(one).map(|text| count(text.len())),
        ("substr", [one, from, length]) => substr(one, from, length),
        ("indent", [spaces, one]) => indent(spaces, one),
        ("join", [between, lists @ ..]) if !lists.is_empty() => join(between, lists),
        ("split", [between, one]) => split(between, one),
        ("replace", [one, from, to]) => replace(one, from, to),
        ("regex", [pattern, one]) => regex(pattern, one),
        ("regexall", [pattern, one]) => regexall(pattern, one),
        ("regex_replace", [one, pattern, to]) => regex_replace(one, pattern, to),
        ("format", [form, rest @ ..]) => {
            text(form).and_then(|form| format(&form, rest)).map(Value::Text)
        }
        ("sanitize", [one]) => on(one, |text| {
            let valid =
                |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
            text.chars().map(|letter| if valid(letter) { letter } else { '_' }).collect()
        }),
        ("basename", [one]) => on(one, |path| match path.trim_end_matches('/') {
            "" => if path.is_empty() { "." } else { "/" }.to_owned(),
            path => path.rsplit('/').next().unwrap_or_default().to_owned(),
        }),
        ("dirname", [one]) => on(one, |path| match path.rsplit_once('/') {
            None => ".".to_owned(),
            Some(("", _)) => "/".to_owned(),
            Some((folder, _)) => folder.trim_end_matches('/').to_owned(),
        }),
        ("base64encode", [one]) => on(one, |text| BASE64_STANDARD.encode(text)),
        ("base64decode", [one]) => text(one).and_then(|text| {
            let bytes = BASE64_STANDARD.decode(text).map_err(|_| "it is no base64".to_owned())?;
            String::from_utf8(bytes).map(Value::Text).map_err(|_| "it is no text".to_owned())
        }),
        ("urlencode", [one]) => on(one, urlencode),
        ("sha256", [one]) => on(one, |text| hex(&sha2::Sha256::digest(text))),
        ("sha512", [one]) => on(one, |text| hex(&sha2::Sha512::digest(text))),
        ("jsonencode", [one]) => Ok(Value::Text(one.to_json())),
        ("jsondecode", [one]) => text(one).and_then(|text| {
            let json: serde_json::Value = serde_json::from_str(&text).map_err(|e| e.to_string())?;
            Ok(Value::from_json(&json))
        }),
        _ => return None,
    })
}

fn on(value: &Value, with: impl Fn(&str) -> String) -> Outcome {
    text(value).map(|text| Value::Text(with(&text)))
}

fn two(one: &Value, other: &Value, with: impl Fn(&str, &str) -> String) -> Outcome {
    Ok(Value::Text(with(&text(one)?, &text(other)?)))
}

fn title(text: &str) -> String {
    let mut begins = true;
    let mut titled = String::with_capacity(text.len());
    for letter in text.chars() {
        if begins {
            titled.extend(letter.to_uppercase());
        } else {
            titled.push(letter);
        }
        begins = letter.is_whitespace();
    }
    titled
}

fn substr(one: &Value, from: &Value, length: &Value) -> Outcome {
    let letters: Vec<char> = text(one)?.chars().collect();
    let all = i64::try_from(letters.len()).unwrap_or(i64::MAX);
    let (from, length) = (whole(from)?, whole(length)?);
    let from = if from < 0 { (all + from).max(0) } else { from.min(all) };
    let end = if length < 0 { all } else { from.saturating_add(length).min(all) };
    let at = |place: i64| usize::try_from(place).unwrap_or(0);
    Ok(Value::Text(letters[at(from)..at(end)].iter().collect()))
}

fn indent(spaces: &Value, one: &Value) -> Outcome {
    let spaces = usize::try_from(whole(spaces)?).ok().filter(|spaces| *spaces <= 1024);
    let before = " ".repeat(spaces.ok_or("too many spaces")?);
    Ok(Value::Text(text(one)?.replace('\n', &format!("\n{before}"))))
}

fn join(between: &Value, lists: &[Value]) -> Outcome {
    let mut parts = Vec::new();
    for each in lists {
        for part in list(each)? {
            parts.push(text(&part)?);
        }
    }
    Ok(Value::Text(parts.join(&text(between)?)))
}

fn split(between: &Value, one: &Value) -> Outcome {
    let (between, one) = (text(between)?, text(one)?);
    if between.is_empty() {
        return Ok(Value::List(
            one.chars().map(|letter| Value::Text(letter.to_string())).collect(),
        ));
    }
    Ok(Value::List(one.split(&between).map(Value::from).collect()))
}

/// No more than a text of this size comes out of one replacement.
const REPLACED_MAX: usize = 1024 * 1024;

fn replace(one: &Value, from: &Value, to: &Value) -> Outcome {
    let (one, from, to) = (text(one)?, text(from)?, text(to)?);
    let found = if from.is_empty() { one.len() + 1 } else { one.matches(&from).count() };
    if found.saturating_mul(to.len()).saturating_add(one.len()) > REPLACED_MAX {
        return Err("too much text comes of it".to_owned());
    }
    Ok(Value::Text(one.replace(&from, &to)))
}

fn pattern(value: &Value) -> Result<Regex, String> {
    let pattern = text(value)?;
    Regex::new(&pattern).map_err(|_| format!("invalid regular expression {pattern:?}"))
}

/// The whole, or the groups: by name where they have names.
fn found(pattern: &Regex, at: &regex::Captures<'_>) -> Value {
    let group = |part: Option<regex::Match<'_>>| {
        part.map_or(Value::Null, |part| Value::from(part.as_str()))
    };
    if pattern.captures_len() == 1 {
        return group(at.get(0));
    }
    let names: Vec<&str> = pattern.capture_names().flatten().collect();
    if names.is_empty() {
        return Value::List((1..at.len()).map(|number| group(at.get(number))).collect());
    }
    Value::Map(names.into_iter().map(|name| (name.to_owned(), group(at.name(name)))).collect())
}

fn regex(given: &Value, one: &Value) -> Outcome {
    let pattern = pattern(given)?;
    let one = text(one)?;
    let at = pattern.captures(&one);
    at.map(|at| found(&pattern, &at))
        .ok_or_else(|| "pattern did not match any part of the given string".to_owned())
}

fn regexall(given: &Value, one: &Value) -> Outcome {
    let pattern = pattern(given)?;
    let one = text(one)?;
    Ok(Value::List(pattern.captures_iter(&one).map(|at| found(&pattern, &at)).collect()))
}

fn regex_replace(one: &Value, given: &Value, to: &Value) -> Outcome {
    let pattern = pattern(given)?;
    let (one, to) = (text(one)?, text(to)?);
    if pattern.find_iter(&one).count().saturating_mul(to.len() + one.len()) > REPLACED_MAX {
        return Err("too much text comes of it".to_owned());
    }
    Ok(Value::Text(pattern.replace_all(&one, to.as_str()).into_owned()))
}

fn urlencode(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(char::from(byte));
            }
            b' ' => encoded.push('+'),
            byte => {
                encoded.push('%');
                encoded.push_str(&hex(&[byte]).to_uppercase());
            }
        }
    }
    encoded
}

fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(nibble.into(), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
