//! Sizes as Docker writes them.

const DECIMAL: [&str; 9] = ["B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"];
const BINARY: [&str; 9] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"];

/// Decimal units, four significant digits: `7.798MB`.
pub fn human_size(bytes: u64) -> String {
    scaled(bytes, 1000.0, &DECIMAL, 4)
}

/// Decimal units, three significant digits: `7.8MB`.
pub fn short_size(bytes: u64) -> String {
    scaled(bytes, 1000.0, &DECIMAL, 3)
}

/// The largest binary unit that loses nothing: two sizes that differ are never told alike.
#[must_use]
pub fn exact_size(bytes: u64) -> String {
    let mut units = BINARY.into_iter();
    let (mut size, mut unit) = (bytes, units.next().unwrap_or_default());
    while size > 0
        && size.is_multiple_of(1024)
        && let Some(larger) = units.next()
    {
        (size, unit) = (size / 1024, larger);
    }
    format!("{size}{unit}")
}

/// Binary units, four significant digits: `23.54GiB`.
pub fn binary_size(bytes: u64) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_sizes_lose_nothing() {
        let told = [0, 1, 1023, 1024, 1025, 64 << 20, (64 << 20) + 1024, u64::MAX].map(exact_size);
        let expected =
            ["0B", "1B", "1023B", "1KiB", "1025B", "64MiB", "65537KiB", "18446744073709551615B"];
        assert_eq!(told, expected);
    }
}
