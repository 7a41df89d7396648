//! Numbers as Go reads and prints them.

use coracle_words::strconv::parse_bool;

/// [`parse_bool`] after lower case and trimming; anything else is false.
pub(crate) fn is_true(text: &str) -> bool {
    parse_bool(&text.trim().to_ascii_lowercase()) == Some(true)
}

/// A float as `%v` prints it: the shortest digits, an exponent from 1e+06 on and below 1e-04.
pub(crate) fn general(value: f64) -> String {
    with_exponent(value, &format!("{value:e}"))
}

/// From the digits and exponent of `scientific`, such as `1.5e3`.
fn with_exponent(value: f64, scientific: &str) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if !(-4..6).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.abs());
    }
    let negative = mantissa.starts_with('-');
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let text = plain(&digits, exponent);
    if negative { format!("-{text}") } else { text }
}

/// Digits with the point after `exponent + 1` of them.
fn plain(digits: &str, exponent: i32) -> String {
    let point = exponent + 1;
    if point <= 0 {
        let zeros = usize::try_from(-point).unwrap_or(0);
        return format!("0.{}{digits}", "0".repeat(zeros));
    }
    let point = usize::try_from(point).unwrap_or(0);
    if digits.len() <= point {
        return format!("{digits}{}", "0".repeat(point - digits.len()));
    }
    format!("{}.{}", &digits[..point], &digits[point..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_as_go_prints_them() {
        for (value, text) in [
            (0.0, "0"),
            (1.0, "1"),
            (3.7, "3.7"),
            (-0.5, "-0.5"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (123_456.0, "123456"),
            (1_000_000.0, "1e+06"),
            (1e21, "1e+21"),
        ] {
            assert_eq!(general(value), text);
        }
    }

    #[test]
    fn truth() {
        assert!(is_true(" True "));
        assert!(is_true("1"));
        assert!(!is_true("yes"));
    }
}
