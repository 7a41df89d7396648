//! Sizes such as `64m`, `1.5g`, `100`.

/// Binary multiples by letter.
const UNITS: &[(char, u32)] = &[('b', 0), ('k', 10), ('m', 20), ('g', 30), ('t', 40), ('p', 50)];

/// The bytes `text` stands for; `None` when it is no size.
pub(super) fn parse(text: &str) -> Option<i64> {
    let lower = text.trim().to_lowercase();
    let digits = lower.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let (shift, rest) = match lower[digits.len()..].chars().next() {
        None => (0, ""),
        Some(letter) => {
            let (_, shift) = UNITS.iter().find(|&&(unit, _)| unit == letter)?;
            (*shift, &lower[digits.len() + 1..])
        }
    };
    if !matches!(rest, "" | "b" | "ib") {
        return None;
    }
    let number = digits.trim_end();
    match number.split_once('.') {
        None => number.parse::<i64>().ok()?.checked_mul(1_i64.checked_shl(shift)?),
        Some((whole, fraction)) => {
            let whole: i64 = whole.parse().ok()?;
            let scale = 10_i64.checked_pow(u32::try_from(fraction.len()).ok()?)?;
            let fraction: i64 = fraction.parse().ok()?;
            let unit = 1_i64 << shift;
            whole.checked_mul(unit)?.checked_add(fraction.checked_mul(unit)? / scale)
        }
    }
    .filter(|&bytes| bytes >= 0)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn reads_sizes() {
        assert_eq!(parse("100"), Some(100));
        assert_eq!(parse("1m"), Some(1 << 20));
        assert_eq!(parse("64 MiB"), Some(64 << 20));
        assert_eq!(parse("1.5gb"), Some(3 << 29));
        assert_eq!(parse("7b"), Some(7));
    }

    #[test]
    fn refuses_others() {
        for text in ["", "m", "1x", "-1", "1mm", "1.m", "9999999999999g"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
