//! Entries as `logs` prints them.

use super::{Entry, Stream};
use coracle_words::moment::nine_digits;

/// Formats the entries of one log, in order.
#[derive(Debug, Clone, Default)]
pub struct Show {
    /// `--timestamps`.
    pub timestamps: bool,
    /// `--details`.
    pub details: bool,
    /// The last entry of stdout and of stderr did not end its line.
    within_line: [bool; 2],
}

impl Show {
    /// Formats with or without time and attributes.
    #[must_use]
    pub fn new(timestamps: bool, details: bool) -> Self {
        Self { timestamps, details, within_line: [false; 2] }
    }

    /// Appends what is to be printed for `entry` on its stream.
    ///
    /// Time and attributes come once per line, not once per piece of a long line.
    pub fn append(&mut self, out: &mut Vec<u8>, entry: &Entry) {
        let within_line = &mut self.within_line[match entry.stream {
            Stream::Stdout => 0,
            Stream::Stderr => 1,
        }];
        if !*within_line {
            if self.timestamps {
                out.extend_from_slice(nine_digits(entry.time).as_bytes());
                out.push(b' ');
            }
            if self.details {
                out.extend_from_slice(details(entry).as_bytes());
                out.push(b' ');
            }
        }
        out.extend_from_slice(entry.text.as_bytes());
        *within_line = !entry.text.ends_with('\n');
    }
}

fn details(entry: &Entry) -> String {
    let pairs: Vec<_> = entry
        .attributes
        .iter()
        .map(|(name, value)| format!("{}={}", query_escape(name), query_escape(value)))
        .collect();
    pairs.join(",")
}

/// Escapes as in the query of a URL.
fn query_escape(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            b' ' => out.push('+'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Entry, Show, Stream};

    fn entry(text: &str, stream: Stream, attributes: &[(&str, &str)]) -> Entry {
        Entry {
            text: text.to_owned(),
            stream,
            attributes: attributes.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect(),
            time: "2026-11-20T23:54:12.01281491Z".parse().unwrap(),
        }
    }

    fn show(timestamps: bool, details: bool, entries: &[Entry]) -> String {
        let mut out = Vec::new();
        let mut show = Show::new(timestamps, details);
        for entry in entries {
            show.append(&mut out, entry);
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn plain_text_is_unchanged() {
        let entries = [entry("tty\r\n", Stream::Stdout, &[]), entry("x", Stream::Stdout, &[])];
        assert_eq!(show(false, false, &entries), "tty\r\nx");
    }

    #[test]
    fn times_have_nine_digits_and_come_once_per_line() {
        let entries = [
            entry("three", Stream::Stdout, &[]),
            entry("err\n", Stream::Stderr, &[]),
            entry(" more\n", Stream::Stdout, &[]),
        ];
        assert_eq!(
            show(true, false, &entries),
            "2026-11-20T23:54:12.012814910Z three2026-11-20T23:54:12.012814910Z err\n more\n"
        );
    }

    #[test]
    fn details_are_escaped_and_a_blank_without_any() {
        let attributes = [("E1", "v"), ("tag", "l3/7ee1041ab64c"), ("team", "x y")];
        assert_eq!(
            show(false, true, &[entry("line 59\n", Stream::Stdout, &attributes)]),
            "E1=v,tag=l3%2F7ee1041ab64c,team=x+y line 59\n"
        );
        assert_eq!(show(false, true, &[entry("one\n", Stream::Stdout, &[])]), " one\n");
    }
}
