//! Sizes such as `64m`, in powers of 1024.

/// Bytes, or what is wrong.
pub(crate) fn parse(text: &str) -> Result<i64, String> {
    let fail = || format!("invalid size: '{text}'");
    let end = text.rfind(|c: char| c.is_ascii_digit() || c == '.' || c == ' ').ok_or_else(fail)?;
    let (number, unit) = text.split_at(end + 1);
    let number = number.strip_suffix(' ').unwrap_or(number);
    let number: f64 = number.parse().map_err(|_| fail())?;
    if number < 0.0 || !number.is_finite() {
        return Err(fail());
    }
    let lower = unit.to_ascii_lowercase();
    let power = match lower.as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 1,
        "m" | "mb" | "mib" => 2,
        "g" | "gb" | "gib" => 3,
        "t" | "tb" | "tib" => 4,
        "p" | "pb" | "pib" => 5,
        _ => return Err(format!("invalid suffix: '{unit}'")),
    };
    let bytes = number * 1024_f64.powi(power);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "saturates, as sizes beyond any memory may"
    )]
    Ok(bytes as i64)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn units() {
        for (text, bytes) in [
            ("64", 64),
            ("1k", 1024),
            ("1.5M", 1_572_864),
            ("2gb", 2_147_483_648),
            ("1 KiB", 1024),
            ("0", 0),
            ("10b", 10),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
        assert_eq!(parse("-5x").unwrap_err(), "invalid size: '-5x'");
        assert_eq!(parse("5x").unwrap_err(), "invalid suffix: 'x'");
        assert_eq!(parse("m").unwrap_err(), "invalid size: 'm'");
        assert_eq!(parse("").unwrap_err(), "invalid size: ''");
    }
}
