//! PAX extended headers: `LENGTH KEY=VALUE\n` records, values of any bytes.

use std::str;

/// The prefix of extended attributes, as GNU tar, bsdtar and Docker write them.
pub(crate) const XATTR_PREFIX: &str = "SCHILY.xattr.";

/// One key and its value; the order of records matters to sparse files.
pub(crate) type Record = (String, Vec<u8>);

/// Splits an extended header into its records.
pub(super) fn parse(mut data: &[u8]) -> Result<Vec<Record>, String> {
    let mut records = Vec::new();
    while !data.is_empty() {
        let space = data.iter().position(|b| *b == b' ').ok_or("a PAX record has no length")?;
        let len: usize = number(&data[..space]).ok_or("a PAX record's length is no number")?;
        if len <= space + 1 || len > data.len() || data[len - 1] != b'\n' {
            return Err("a PAX record's length is wrong".to_owned());
        }
        let body = &data[space + 1..len - 1];
        let equals = body.iter().position(|b| *b == b'=').ok_or("a PAX record has no `=`")?;
        let key = str::from_utf8(&body[..equals]).map_err(|_| "a PAX key is no UTF-8")?;
        if key.is_empty() {
            return Err("a PAX key is empty".to_owned());
        }
        records.push((key.to_owned(), body[equals + 1..].to_vec()));
        data = &data[len..];
    }
    Ok(records)
}

/// A decimal number, digits only.
pub(super) fn number<T: str::FromStr>(text: &[u8]) -> Option<T> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    str::from_utf8(text).ok()?.parse().ok()
}

/// Seconds and nanoseconds of a decimal time, which may be negative.
pub(super) fn time(text: &[u8]) -> Option<(i64, u32)> {
    let (negative, text) = match text.strip_prefix(b"-") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = match text.iter().position(|b| *b == b'.') {
        Some(dot) => (&text[..dot], &text[dot + 1..]),
        None => (text, &b""[..]),
    };
    let seconds: i64 = number(whole)?;
    if !fraction.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let mut nanos = 0;
    for at in 0..9 {
        nanos = nanos * 10 + fraction.get(at).map_or(0, |digit| u32::from(digit - b'0'));
    }
    match (negative, nanos) {
        (false, _) => Some((seconds, nanos)),
        (true, 0) => Some((-seconds, 0)),
        (true, _) => Some((-seconds - 1, 1_000_000_000 - nanos)),
    }
}

/// Writes one record.
pub(crate) fn write(out: &mut Vec<u8>, key: &str, value: &[u8]) {
    // The length counts its own digits.
    let rest = key.len() + value.len() + 3;
    let mut len = rest + 1;
    while len != rest + len.to_string().len() {
        len = rest + len.to_string().len();
    }
    out.extend_from_slice(format!("{len} {key}=").as_bytes());
    out.extend_from_slice(value);
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_round_trip_with_any_bytes() {
        let mut data = Vec::new();
        let long = vec![b'v'; 100];
        for (key, value) in
            [("path", &b"a\nb"[..]), ("SCHILY.xattr.user.x", b"\0=\n"), ("k", &long)]
        {
            write(&mut data, key, value);
        }
        assert!(data.starts_with(b"12 path=a\nb\n"));
        let records = parse(&data).unwrap();
        assert_eq!(records[0], ("path".to_owned(), b"a\nb".to_vec()));
        assert_eq!(records[1], ("SCHILY.xattr.user.x".to_owned(), b"\0=\n".to_vec()));
        assert_eq!(records[2].1, long);
    }

    #[test]
    fn broken_records_are_refused() {
        for (data, why) in [
            (&b"12path=a\n"[..], "a PAX record has no length"),
            (b"x path=a\n", "a PAX record's length is no number"),
            (b"99 path=a\n", "a PAX record's length is wrong"),
            (b"3 \n", "a PAX record has no `=`"),
            (b"9 path=a ", "a PAX record's length is wrong"),
            (b"5 =a\n", "a PAX key is empty"),
            (b"99999999999999999999 a=b\n", "a PAX record's length is no number"),
        ] {
            assert_eq!(parse(data).unwrap_err(), why);
        }
    }

    #[test]
    fn times_have_signs_and_fractions() {
        assert_eq!(time(b"12.5"), Some((12, 500_000_000)));
        assert_eq!(time(b"12"), Some((12, 0)));
        assert_eq!(time(b"-1.25"), Some((-2, 750_000_000)));
        assert_eq!(time(b"1.0000000019"), Some((1, 1)));
        assert_eq!(time(b"1e3"), None);
        assert_eq!(time(b""), None);
    }
}
