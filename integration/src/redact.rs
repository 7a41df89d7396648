//! Rewrites what differs between two runs: ids, times and the paths of the world.

use std::path::Path;

/// Rewrites 64-digit ids to `[ID]`, RFC 3339 times to `[TIME]` and the world's folder to `$ROOT`.
#[derive(Debug, Clone, Default)]
pub struct Redactor {
    root: String,
}

const ID_DIGITS: usize = 64;

impl Redactor {
    /// A redactor for the world in `root`.
    pub fn new(root: &Path) -> Self {
        Self { root: root.display().to_string() }
    }

    /// The rewritten text.
    pub fn apply(&self, text: &str) -> String {
        let text =
            if self.root.is_empty() { text.to_owned() } else { text.replace(&self.root, "$ROOT") };
        let mut out = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some(next) = rest.chars().next() {
            let hex = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
            if hex == ID_DIGITS {
                out.push_str("[ID]");
                rest = &rest[ID_DIGITS..];
            } else if let Some(length) = time_length(rest) {
                out.push_str("[TIME]");
                rest = &rest[length..];
            } else {
                let step = hex.max(next.len_utf8());
                // Digits that begin a time are left one by one, so that a time inside them is found.
                let step = if hex > 0 && hex < 12 { 1 } else { step };
                out.push_str(&rest[..step]);
                rest = &rest[step..];
            }
        }
        out
    }
}

/// Bytes of the RFC 3339 time that `text` begins with. Docker's zero time is kept: it means "never".
pub(crate) fn time_length(text: &str) -> Option<usize> {
    const SHAPE: &[u8] = b"dddd-dd-ddTdd:dd:dd";
    let bytes = text.as_bytes();
    if bytes.len() <= SHAPE.len() || text.starts_with("0001-01-01T00:00:00Z") {
        return None;
    }
    let matches = SHAPE.iter().zip(bytes).all(|(shape, byte)| match shape {
        b'd' => byte.is_ascii_digit(),
        other => other == byte,
    });
    if !matches {
        return None;
    }
    let tail = &bytes[SHAPE.len()..];
    let fraction = match tail.first() {
        Some(b'.') => 1 + tail[1..].iter().take_while(|byte| byte.is_ascii_digit()).count(),
        _ => 0,
    };
    match tail.get(fraction) {
        Some(b'Z') => Some(SHAPE.len() + fraction + 1),
        Some(b'+' | b'-') => Some((SHAPE.len() + fraction + 6).min(bytes.len())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_times_and_paths_are_rewritten_and_the_rest_is_kept() {
        let redactor = Redactor::new(Path::new("/tmp/w1"));
        let id = "9f".repeat(32);
        assert_eq!(
            redactor.apply(&format!("{id} at /tmp/w1/x, 2026-11-20T23:52:13.917186118Z, café")),
            "[ID] at $ROOT/x, [TIME], café"
        );
        assert_eq!(redactor.apply("2026-11-20T23:52:13+01:00|"), "[TIME]|");
        assert_eq!(
            redactor.apply("0001-01-01T00:00:00Z abc 2026-11"),
            "0001-01-01T00:00:00Z abc 2026-11"
        );
        assert_eq!(redactor.apply(&format!("sha256:{id}")), "sha256:[ID]");
    }
}
