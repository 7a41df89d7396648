//! Names of entries: made relative, cleaned, refused when they climb out.

use crate::limits::ENTRY_NAME_BYTES_MAX;

/// Characters of a hostile name that are worth showing.
const PRINTABLE_CHARS_MAX: usize = 160;

/// Cleans a name lexically: no empty, `.` or `..` components, no slash at either end.
///
/// The empty result is the layer's root. The error says why a name is refused.
pub fn clean(name: &[u8]) -> Result<Vec<u8>, &'static str> {
    if name.len() > ENTRY_NAME_BYTES_MAX {
        return Err("its name is too long");
    }
    if name.contains(&0) {
        return Err("its name contains a NUL byte");
    }
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in name.split(|b| *b == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                parts.pop().ok_or("its name leads out of the layer")?;
            }
            part => parts.push(part),
        }
    }
    Ok(parts.join(&b'/'))
}

/// Splits a clean name into its directory and its last component.
pub fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|b| *b == b'/') {
        Some(at) => (&path[..at], &path[at + 1..]),
        None => (b"", path),
    }
}

/// A name for messages: control characters escaped, cut when it is very long.
pub(crate) fn printable(name: &[u8]) -> String {
    let text = String::from_utf8_lossy(name);
    let mut shown: String =
        text.chars().take(PRINTABLE_CHARS_MAX).flat_map(char::escape_debug).collect();
    if text.chars().nth(PRINTABLE_CHARS_MAX).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleans_and_refuses() {
        for (name, expected) in [
            (&b"a/b"[..], Ok(&b"a/b"[..])),
            (b"./a//b/", Ok(b"a/b")),
            (b"/etc/passwd", Ok(b"etc/passwd")),
            (b"a/../b", Ok(b"b")),
            (b"./", Ok(b"")),
            (b"", Ok(b"")),
            (b"..", Err("its name leads out of the layer")),
            (b"a/../../b", Err("its name leads out of the layer")),
            (b"/../b", Err("its name leads out of the layer")),
            (b"a\0b", Err("its name contains a NUL byte")),
        ] {
            assert_eq!(clean(name).as_deref(), expected.as_deref(), "{name:?}");
        }
        assert_eq!(clean(&[b'a'; 5000]), Err("its name is too long"));
        assert_eq!(split(b"a/b/c"), (&b"a/b"[..], &b"c"[..]));
        assert_eq!(split(b"c"), (&b""[..], &b"c"[..]));
    }

    #[test]
    fn messages_stay_readable() {
        assert_eq!(printable(b"a\x1b[31m\xfd"), "a\\u{1b}[31m\u{fffd}");
        assert_eq!(printable(&[b'x'; 500]).chars().count(), PRINTABLE_CHARS_MAX + 1);
    }
}
