//! One entry of a log, to and from the line of JSON it is on disk.
//!
//! The form is that of Docker's `json-file` driver, byte for byte, so that log shippers
//! that read those files can read ours.

use std::collections::BTreeMap;
use std::io::Write;

use serde::{Deserialize, Serialize};

use crate::model::Timestamp;

/// Which output of the container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    Stdout,
    Stderr,
}

/// A line, or a piece of one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Entry {
    /// The text; it ends with a newline unless the line goes on in the next entry.
    #[serde(rename = "log", default)]
    pub text: String,
    pub stream: Stream,
    #[serde(default, rename = "attrs")]
    pub attributes: BTreeMap<String, String>,
    pub time: Timestamp,
}

impl Entry {
    /// Reads a line of a log file; `None` for one that is damaged.
    pub(super) fn decode(line: &[u8]) -> Option<Self> {
        serde_json::from_slice(line).ok()
    }
}

/// Whether the entry in `line` ends a line of output; false for a damaged one.
pub(super) fn ends_line(line: &[u8]) -> bool {
    // A quotation mark inside the text has a backslash before it, so this sequence can only
    // be the end of the text.
    const END: &[u8] = br#"","stream":""#;
    let Some(end) = line.windows(END.len()).position(|window| window == END) else {
        return false;
    };
    let Some(text) = line[..end].strip_suffix(b"n") else { return false };
    let backslashes = text.iter().rev().take_while(|byte| **byte == b'\\').count();
    backslashes % 2 == 1
}

/// Writes entries; remembers what is the same in all of them.
#[derive(Debug)]
pub(super) struct Encoder {
    /// `"attrs":{…},` or nothing.
    attributes: Vec<u8>,
    /// The time written last, up to the second.
    second: i64,
    second_text: String,
}

impl Encoder {
    pub(super) fn new(attributes: &BTreeMap<String, String>) -> Self {
        let mut encoded = Vec::new();
        if !attributes.is_empty() {
            encoded.extend_from_slice(b"\"attrs\":{");
            for (index, (name, value)) in attributes.iter().enumerate() {
                encoded.extend_from_slice(if index == 0 { b"\"" } else { b",\"" });
                escape(&mut encoded, name.as_bytes());
                encoded.extend_from_slice(b"\":\"");
                escape(&mut encoded, value.as_bytes());
                encoded.push(b'"');
            }
            encoded.extend_from_slice(b"},");
        }
        Self { attributes: encoded, second: i64::MIN, second_text: String::new() }
    }

    /// Appends an entry, with its own newline, to `out`.
    pub(super) fn encode(
        &mut self,
        out: &mut Vec<u8>,
        (text, ends_line): (&[u8], bool),
        stream: Stream,
        time: Timestamp,
    ) {
        out.extend_from_slice(b"{\"log\":\"");
        escape(out, text);
        if ends_line {
            out.extend_from_slice(b"\\n");
        }
        out.extend_from_slice(match stream {
            Stream::Stdout => b"\",\"stream\":\"stdout\",",
            Stream::Stderr => b"\",\"stream\":\"stderr\",",
        });
        out.extend_from_slice(&self.attributes);
        out.extend_from_slice(b"\"time\":\"");
        self.encode_time(out, time);
        out.extend_from_slice(b"\"}\n");
    }

    fn encode_time(&mut self, out: &mut Vec<u8>, time: Timestamp) {
        let time = time.datetime();
        if time.timestamp() != self.second {
            self.second = time.timestamp();
            self.second_text = time.format("%Y-%m-%dT%H:%M:%S").to_string();
        }
        out.extend_from_slice(self.second_text.as_bytes());
        let nanos = time.timestamp_subsec_nanos();
        if nanos != 0 {
            write!(out, ".{nanos:09}").expect("writing to memory does not fail");
            while out.last() == Some(&b'0') {
                out.pop();
            }
        }
        out.push(b'Z');
    }
}

/// Appends `bytes` as the inside of a JSON string, escaped as Docker does it.
fn escape(out: &mut Vec<u8>, bytes: &[u8]) {
    for chunk in bytes.utf8_chunks() {
        escape_text(out, chunk.valid());
        for _ in chunk.invalid() {
            out.extend_from_slice(b"\\ufffd");
        }
    }
}

fn escape_text(out: &mut Vec<u8>, text: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let bytes = text.as_bytes();
    let mut plain_start = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        // U+2028 and U+2029 are e2 80 a8 and e2 80 a9.
        let separator = byte == 0xe2 && matches!(&bytes[at..], [_, 0x80, 0xa8 | 0xa9, ..]);
        let plain = byte >= 0x20 && !matches!(byte, b'\\' | b'"' | b'<' | b'>' | b'&');
        if plain && !separator {
            continue;
        }
        // The two bytes after a separator's first are continuation bytes, so `at` is past
        // them before the next stop.
        out.extend_from_slice(&bytes[plain_start..at]);
        plain_start = at + 1;
        match byte {
            b'\\' | b'"' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            _ if separator => {
                out.extend_from_slice(b"\\u202");
                out.push(if bytes[at + 2] == 0xa8 { b'8' } else { b'9' });
                plain_start = at + 3;
            }
            _ => {
                out.extend_from_slice(b"\\u00");
                out.push(HEX[usize::from(byte >> 4)]);
                out.push(HEX[usize::from(byte & 15)]);
            }
        }
    }
    out.extend_from_slice(&bytes[plain_start..]);
}

#[cfg(test)]
mod tests {
    use super::{Encoder, Entry, Stream, ends_line};
    use std::collections::BTreeMap;

    fn encode(attributes: &[(&str, &str)], text: &[u8], ends: bool, time: &str) -> String {
        let attributes: BTreeMap<_, _> =
            attributes.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect();
        let mut out = Vec::new();
        let time = time.parse().unwrap();
        Encoder::new(&attributes).encode(&mut out, (text, ends), Stream::Stdout, time);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn lines_are_dockers() {
        assert_eq!(
            encode(&[], b"three", true, "2026-11-20T23:54:12.01281491Z"),
            "{\"log\":\"three\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-20T23:54:12.01281491Z\"}\n"
        );
        assert_eq!(
            encode(
                &[("E1", "v"), ("tag", "l3/7ee1041ab64c"), ("team", "x")],
                b"line 60",
                true,
                "2026-11-20T23:54:19.120460757Z"
            ),
            "{\"log\":\"line 60\\n\",\"stream\":\"stdout\",\"attrs\":{\"E1\":\"v\",\"tag\":\"l3/7ee1041ab64c\",\"team\":\"x\"},\"time\":\"2026-11-20T23:54:19.120460757Z\"}\n"
        );
        assert_eq!(
            encode(&[], b"tty\r", true, "2026-11-20T23:54:37Z"),
            "{\"log\":\"tty\\r\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-20T23:54:37Z\"}\n"
        );
    }

    #[test]
    fn escapes() {
        let text = "\"\\<&>\t\u{1b}[0m\u{7f}€\u{2028}x\u{2029}".as_bytes();
        let line = encode(&[], text, false, "2026-11-20T23:54:37Z");
        assert_eq!(
            line.split_once(",\"stream\"").unwrap().0,
            "{\"log\":\"\\\"\\\\\\u003c\\u0026\\u003e\\u0009\\u001b[0m\u{7f}€\\u2028x\\u2029\""
        );
        let entry = Entry::decode(line.as_bytes()).unwrap();
        assert_eq!(entry.text.as_bytes(), text);
        let line = encode(&[], b"a\xff\xe2\x82b", true, "2026-11-20T23:54:37Z");
        assert!(line.starts_with("{\"log\":\"a\\ufffd\\ufffd\\ufffdb\\n\""), "{line}");
    }

    #[test]
    fn ends_of_lines_are_seen_without_parsing() {
        let time = "2026-11-20T23:54:37Z";
        assert!(ends_line(encode(&[], b"x", true, time).as_bytes()));
        assert!(!ends_line(encode(&[], b"x", false, time).as_bytes()));
        assert!(!ends_line(encode(&[], b"x\\n", false, time).as_bytes()));
        assert!(ends_line(encode(&[], b"x\\", true, time).as_bytes()));
        assert!(!ends_line(encode(&[], b"\n\",\"stream\":\"x", false, time).as_bytes()));
        assert!(!ends_line(b"damaged"));
    }

    #[test]
    fn damaged_lines_are_not_entries() {
        assert_eq!(Entry::decode(b"{\"log\":\"x\",\"str"), None);
        assert_eq!(Entry::decode(b""), None);
    }
}
