//! Patterns of `${NAME#PATTERN}` and its kind: `*`, `?`, and a backslash before one of them.

use regex::Regex;

/// The value without the shortest or longest begin that the pattern fits.
pub(super) fn without_prefix(pattern: &str, value: &str, longest: bool) -> Result<String, String> {
    let regex = regex(pattern, longest, true).map_err(|why| invalid(pattern, &why))?;
    Ok(regex.find(value).map_or(value, |found| &value[found.end()..]).to_owned())
}

/// The same at the end. Both are read backwards: the shortest end is a leftmost match only there.
pub(super) fn without_suffix(pattern: &str, value: &str, longest: bool) -> Result<String, String> {
    let backwards: String = value.chars().rev().collect();
    let cut = without_prefix(&reversed(pattern), &backwards, longest)?;
    Ok(cut.chars().rev().collect())
}

/// The value with the first, or each, place that the pattern fits replaced.
pub(super) fn replaced(
    pattern: &str,
    value: &str,
    text: &str,
    all: bool,
) -> Result<String, String> {
    let regex = regex(pattern, true, false).map_err(|why| invalid(pattern, &why))?;
    if all {
        return Ok(regex.replace_all(value, text).into_owned());
    }
    Ok(match regex.find(value) {
        Some(found) => format!("{}{text}{}", &value[..found.start()], &value[found.end()..]),
        None => value.to_owned(),
    })
}

fn invalid(pattern: &str, why: &str) -> String {
    format!("invalid pattern ({pattern}) in substitution: {why}")
}

/// A backslash stays before what it escapes.
fn reversed(pattern: &str) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        let mut part = c.to_string();
        if c == '\\' {
            part.extend(chars.next());
        }
        parts.push(part);
    }
    parts.into_iter().rev().collect()
}

fn regex(pattern: &str, longest: bool, at_begin: bool) -> Result<Regex, String> {
    let mut out = String::with_capacity(pattern.len() + 8);
    if at_begin {
        out.push('^');
    }
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '*' => out.push_str(if longest { ".*" } else { ".*?" }),
            '?' => out.push('.'),
            // These had to be escaped to get into the pattern.
            '\\' if matches!(chars.peek(), Some('}' | '/')) => {}
            '\\' => match chars.next() {
                Some(c @ ('*' | '?' | '\\')) => out.extend(['\\', c]),
                Some(c) => return Err(format!("invalid escape '\\{c}'")),
                None => return Err(format!("invalid escape '\\{}'", char::REPLACEMENT_CHARACTER)),
            },
            c => out.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
    }
    Regex::new(&out).map_err(|_| "it is too long".to_owned())
}
