//! The type of a scalar, by the rules of Go's `yaml.v3`: YAML 1.2 with the octal numbers and
//! underscores of 1.1, and without its `yes` and `no`.

use base64::Engine as _;

use crate::tree::Value;

/// What a scalar stands for, or why its tag does not fit it.
pub(super) fn resolve(tag: Option<&str>, text: &str, plain: bool) -> Result<Value, String> {
    let value = match tag {
        None if plain => typed(text, true),
        None | Some("!" | "!!str") => Value::Text(text.to_owned()),
        Some("!!binary") => return binary(text),
        Some(tag @ ("!!int" | "!!float" | "!!bool" | "!!null" | "!!timestamp")) => {
            let value = typed(text, tag == "!!timestamp");
            return fit(tag, value, text);
        }
        // Other tags say nothing about the type.
        Some(_) => Value::Text(text.to_owned()),
    };
    Ok(value)
}

fn fit(tag: &str, value: Value, text: &str) -> Result<Value, String> {
    match (tag, value) {
        ("!!float", Value::Int(int)) => Ok(Value::Float(int as f64)),
        ("!!int", value @ Value::Int(_))
        | ("!!float", value @ Value::Float(_))
        | ("!!bool", value @ Value::Bool(_))
        | ("!!null", value @ Value::Null)
        | ("!!timestamp", value @ Value::Time(_)) => Ok(value),
        _ => Err(format!("cannot decode `{text}` as a {tag}")),
    }
}

fn binary(text: &str) -> Result<Value, String> {
    let packed: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let bytes = base64::engine::general_purpose::STANDARD.decode(packed);
    let text = bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok());
    text.map(Value::Text).ok_or_else(|| "!!binary value contains invalid base64 data".to_owned())
}

fn typed(text: &str, dates: bool) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Value::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => {
            return Value::Float(f64::INFINITY);
        }
        "-.inf" | "-.Inf" | "-.INF" => return Value::Float(f64::NEG_INFINITY),
        _ => {}
    }
    let first = text.as_bytes()[0];
    let number = match first {
        b'.' => float(text),
        b'+' | b'-' | b'0'..=b'9' => {
            if dates && is_timestamp(text) {
                return Value::Time(text.to_owned());
            }
            let packed = text.replace('_', "");
            integer(&packed).or_else(|| float(&packed))
        }
        _ => None,
    };
    number.unwrap_or_else(|| Value::Text(text.to_owned()))
}

/// Decimal, `0x`, `0o`, `0b`, and octal with a leading zero, within 64 bits.
fn integer(text: &str) -> Option<Value> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (base, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(base)) {
        return None;
    }
    let value = i128::from_str_radix(digits, base).ok()?;
    let value = if negative { -value } else { value };
    let range = i128::from(i64::MIN)..=i128::from(u64::MAX);
    range.contains(&value).then_some(Value::Int(value))
}

/// `1.5`, `.5`, `1.`, `1e3`: no infinity, no hexadecimal digits.
fn float(text: &str) -> Option<Value> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match digits.find(['e', 'E']) {
        Some(at) => (&digits[..at], Some(&digits[at + 1..])),
        None => (digits, None),
    };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let mantissa_fits = match mantissa.split_once('.') {
        Some((whole, fraction)) => {
            let fraction_fits = fraction.is_empty() || is_number(fraction);
            (is_number(whole) && fraction_fits) || (whole.is_empty() && is_number(fraction))
        }
        None => is_number(mantissa),
    };
    let exponent_fits =
        exponent.is_none_or(|text| is_number(text.strip_prefix(['-', '+']).unwrap_or(text)));
    let value: f64 = (mantissa_fits && exponent_fits).then(|| text.parse().ok())??;
    value.is_finite().then_some(Value::Float(value))
}

/// `2001-12-14`, or with a time after `T`, `t` or a space.
fn is_timestamp(text: &str) -> bool {
    let Some((year, rest)) = text.split_once('-') else { return false };
    let Some((month, rest)) = rest.split_once('-') else { return false };
    let day_end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (day, time) = rest.split_at(day_end);
    let within = |text: &str, most: u32| {
        (1..=2).contains(&text.len()) && text.parse().is_ok_and(|n: u32| n >= 1 && n <= most)
    };
    if year.len() != 4 || !year.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    if !within(month, 12) || !within(day, days(year, month)) {
        return false;
    }
    match time.chars().next() {
        None => true,
        Some('T' | 't') => {
            let zone = time.find(['Z', '+']).or_else(|| time.rfind('-'));
            zone.is_some_and(|zone| is_time(&time[1..zone]) && is_zone(&time[zone..]))
        }
        Some(' ') => is_time(&time[1..]),
        _ => false,
    }
}

/// Of a month.
fn days(year: &str, month: &str) -> u32 {
    let year: u32 = year.parse().unwrap_or(0);
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month.parse().unwrap_or(0) {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn is_time(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let [hour, minute, second] = parts[..] else { return false };
    let (second, fraction) = second.split_once('.').unwrap_or((second, "0"));
    let below = |text: &str, limit: u32| {
        (1..=2).contains(&text.len()) && text.parse().is_ok_and(|n: u32| n < limit)
    };
    below(hour, 24)
        && below(minute, 60)
        && below(second, 60)
        && fraction.bytes().all(|b| b.is_ascii_digit())
}

fn is_zone(text: &str) -> bool {
    let digits = |text: &str| text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
    text == "Z"
        || text[1..].split_once(':').is_some_and(|(hour, minute)| digits(hour) && digits(minute))
}

/// Whether a text without quotes is read back as this text.
pub(crate) fn is_plain_text(text: &str) -> bool {
    !text.is_empty() && text != "<<" && matches!(typed(text, true), Value::Text(_))
}

/// Words that YAML 1.1 took for booleans, and numbers to the base of 60: written in quotes
/// for readers that still do.
pub(crate) fn looks_like_old_bool(text: &str) -> bool {
    let word = ["y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "n", "N", "no", "No", "NO"];
    word.contains(&text) || ["off", "Off", "OFF"].contains(&text) || is_base_60(text)
}

fn is_base_60(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let mut parts = digits.split(':');
    let first = parts.next().unwrap_or_default();
    let mut rest: Vec<&str> = parts.collect();
    let Some(last) = rest.pop() else { return false };
    let (last, fraction) = last.split_once('.').unwrap_or((last, ""));
    rest.push(last);
    let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let sixtieth =
        |text: &&str| matches!(text.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']);
    first.starts_with(|c: char| c.is_ascii_digit())
        && number(first)
        && rest.iter().all(sixtieth)
        && number(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> Value {
        resolve(None, text, true).unwrap()
    }

    #[test]
    fn numbers() {
        for (text, value) in [
            ("0", 0),
            ("-7", -7),
            ("+5", 5),
            ("0777", 0o777),
            ("0o17", 15),
            ("0x1F", 31),
            ("-0b101", -5),
            ("1_000", 1000),
            ("18446744073709551615", i128::from(u64::MAX)),
        ] {
            assert_eq!(plain(text), Value::Int(value), "{text}");
        }
        for (text, value) in [("1.5", 1.5), (".5", 0.5), ("1.", 1.0), ("1e3", 1000.0), ("08", 8.0)]
        {
            assert_eq!(plain(text), Value::Float(value), "{text}");
        }
        for text in ["1.2.3", "1e", "0x", "80:80", "1e999", "+", "-", ".", "12ab", "1:30"] {
            assert_eq!(plain(text), Value::Text(text.into()), "{text}");
        }
    }

    #[test]
    fn words_and_dates() {
        assert_eq!(plain("yes"), Value::Text("yes".into()));
        assert_eq!(plain("TRUE"), Value::Bool(true));
        assert_eq!(plain("~"), Value::Null);
        assert_eq!(resolve(None, "true", false).unwrap(), Value::Text("true".into()));
        for date in
            ["2001-12-14", "2001-1-2", "2001-12-14t21:59:43.10-05:00", "2001-12-14 21:59:43"]
        {
            assert_eq!(plain(date), Value::Time(date.into()), "{date}");
        }
        for text in [
            "2001-13-14",
            "2001-02-29",
            "2001-04-31",
            "2001-12",
            "01-02-03",
            "2001-12-14T21:59:43",
            "2001-12-14x",
        ] {
            assert_eq!(plain(text), Value::Text(text.into()), "{text}");
        }
    }

    #[test]
    fn tags() {
        assert_eq!(resolve(Some("!!str"), "12", true).unwrap(), Value::Text("12".into()));
        assert_eq!(resolve(Some("!!int"), "3", false).unwrap(), Value::Int(3));
        assert_eq!(resolve(Some("!!float"), "3", true).unwrap(), Value::Float(3.0));
        assert_eq!(resolve(Some("!!binary"), "aGk=", true).unwrap(), Value::Text("hi".into()));
        assert_eq!(resolve(Some("!mine"), "3", true).unwrap(), Value::Text("3".into()));
        assert_eq!(resolve(Some("!!int"), "x", true).unwrap_err(), "cannot decode `x` as a !!int");
    }

    #[test]
    fn texts_that_need_quotes() {
        for text in ["", "1", "true", "null", "~", "2001-12-14", "0x1", "<<"] {
            assert!(!is_plain_text(text), "{text}");
        }
        for text in ["a", "yes", "1.2.3", "80:80"] {
            assert!(is_plain_text(text), "{text}");
        }
        assert!(looks_like_old_bool("on"));
        assert!(looks_like_old_bool("8:22"));
        assert!(!looks_like_old_bool("8080:80:1000"));
    }
}
