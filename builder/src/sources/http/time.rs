//! Times in headers (RFC 9110 section 5.6.7): the form of today, and the two of long ago. Pure.

use chrono::NaiveDateTime;

const FORMS: [&str; 3] =
    ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];

/// Seconds since 1970.
pub(super) fn read(text: &str) -> Option<i64> {
    let read = |form| NaiveDateTime::parse_from_str(text.trim(), form).ok();
    FORMS.into_iter().find_map(read).map(|time| time.and_utc().timestamp())
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn three_forms() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            assert_eq!(read(text), Some(784_111_777), "{text}");
        }
        for text in ["", "yesterday", "Sun, 06 Nov 1994 08:49:37 +0100"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
