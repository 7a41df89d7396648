//! Parsers of flag values; their errors are the end of Docker's
//! `invalid argument "V" for "-f, --flag" flag: …`.

pub(crate) use coracle_view::filter::Filter;
use coracle_words::size::{self, InvalidSize};

/// One `--filter KEY=VALUE`.
pub(crate) fn filter(text: &str) -> Result<Filter, String> {
    let (key, value) = text.split_once('=').ok_or("bad format of filter (expected name=value)")?;
    Ok(Filter { key: key.trim().to_lowercase(), value: value.trim().to_owned() })
}

/// Whole numbers, and `--flag` and `--flag=VALUE` with Go's spellings of truth.
pub(crate) use coracle_words::strconv::{
    parse_int as int, parse_uint16 as uint16, truth as switch,
};

/// A size such as `64m`, in powers of 1024; `-1` passes.
pub(crate) fn bytes(text: &str) -> Result<i64, InvalidSize> {
    if text == "-1" { Ok(-1) } else { size::flag(text) }
}

/// `--cpus`: a decimal number of CPUs, in billionths.
pub(crate) fn cpus(text: &str) -> Result<i64, String> {
    let fail = || format!("failed to parse {text} as a rational number");
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 9 {
        return Err("value is too precise".into());
    }
    let digits = format!("{whole}{fraction:0<9}");
    if whole.is_empty() && fraction.is_empty() {
        return Err(fail());
    }
    digits.parse().map_err(|_| fail())
}

/// A Go duration such as `1m30s` or `300ms`, in nanoseconds.
pub(crate) use coracle_words::duration::parse as duration;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_limit_is_a_size() {
        assert_eq!(bytes("-1"), Ok(-1));
        assert_eq!(bytes("64m"), Ok(64 << 20));
        assert_eq!(bytes("-5m").unwrap_err().to_string(), "invalid size: '-5m'");
    }

    #[test]
    fn cpu_shares_of_a_core() {
        assert_eq!(cpus("1.5"), Ok(1_500_000_000));
        assert_eq!(cpus(".5"), Ok(500_000_000));
        assert_eq!(cpus("2"), Ok(2_000_000_000));
        assert_eq!(cpus("x").unwrap_err(), "failed to parse x as a rational number");
        assert_eq!(cpus("0.1234567891").unwrap_err(), "value is too precise");
    }

    #[test]
    fn filters_need_an_equals_sign() {
        assert_eq!(filter("bad").unwrap_err(), "bad format of filter (expected name=value)");
        let ok = Filter { key: "label".into(), value: "a=b".into() };
        assert_eq!(filter("label=a=b"), Ok(ok));
    }
}
