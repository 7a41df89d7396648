//! Cuts a stream of bytes into lines, and long lines into pieces.

/// Longest text of one entry, in bytes.
pub(super) const PIECE_BYTES_MAX: usize = 16 * 1024;

/// A line that has not ended yet.
#[derive(Debug, Default)]
pub(super) struct Splitter {
    pending: Vec<u8>,
}

impl Splitter {
    /// Takes output; `emit` gets each text and whether it ends a line (the newline itself
    /// is not part of the text).
    pub(super) fn push(&mut self, mut bytes: &[u8], mut emit: impl FnMut(&[u8], bool)) {
        while !bytes.is_empty() {
            let window = &bytes[..bytes.len().min(PIECE_BYTES_MAX - self.pending.len())];
            let newline = window.iter().position(|byte| *byte == b'\n');
            let taken = newline.unwrap_or(window.len());
            bytes = &bytes[newline.map_or(taken, |at| at + 1)..];
            if newline.is_some() && self.pending.is_empty() {
                emit(&window[..taken], true);
                continue;
            }
            self.pending.extend_from_slice(&window[..taken]);
            if newline.is_some() {
                emit(&self.pending, true);
                self.pending.clear();
            } else if self.pending.len() == PIECE_BYTES_MAX {
                let cut = whole_characters(&self.pending);
                emit(&self.pending[..cut], false);
                self.pending.drain(..cut);
            }
        }
    }

    /// The stream ended: what is pending goes out without a newline.
    pub(super) fn finish(&mut self, mut emit: impl FnMut(&[u8], bool)) {
        if !self.pending.is_empty() {
            emit(&self.pending, false);
        }
        self.pending = Vec::new();
    }
}

/// Length of `bytes` without a character of UTF-8 that is cut off at the end.
fn whole_characters(bytes: &[u8]) -> usize {
    let tail_start = bytes.len().saturating_sub(3);
    let lead = bytes[tail_start..].iter().rposition(|byte| byte & 0xc0 != 0x80);
    let Some(lead) = lead.map(|at| tail_start + at) else { return bytes.len() };
    let wanted = match bytes[lead] {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => 1,
    };
    if bytes.len() - lead < wanted { lead } else { bytes.len() }
}

#[cfg(test)]
mod tests {
    use super::{PIECE_BYTES_MAX, Splitter};

    fn split(pieces: &[&[u8]]) -> Vec<(String, bool)> {
        let mut splitter = Splitter::default();
        let mut found = Vec::new();
        let mut emit = |text: &[u8], ends: bool| {
            found.push((String::from_utf8(text.to_vec()).unwrap(), ends));
        };
        for piece in pieces {
            splitter.push(piece, &mut emit);
        }
        splitter.finish(&mut emit);
        found
    }

    fn literal(lines: &[(&str, bool)]) -> Vec<(String, bool)> {
        lines.iter().map(|&(text, ends)| (text.to_owned(), ends)).collect()
    }

    #[test]
    fn lines_arrive_in_any_pieces() {
        assert_eq!(
            split(&[b"one\n\ntwo\nthr"]),
            literal(&[("one", true), ("", true), ("two", true), ("thr", false)])
        );
        assert_eq!(
            split(&[b"no ", b"newline", b"\n", b"x\r\ny\n"]),
            literal(&[("no newline", true), ("x\r", true), ("y", true)])
        );
        assert_eq!(split(&[]), []);
    }

    #[test]
    fn long_lines_are_cut_at_16_kib() {
        let long = vec![b'x'; 40_000];
        let lengths: Vec<_> = split(&[&long, b"\nend\n"])
            .into_iter()
            .map(|(text, ends)| (text.len(), ends))
            .collect();
        assert_eq!(lengths, [(16384, false), (16384, false), (7232, true), (3, true)]);
        let exact = vec![b'x'; PIECE_BYTES_MAX];
        let lengths: Vec<_> =
            split(&[&exact, b"\n"]).into_iter().map(|(text, ends)| (text.len(), ends)).collect();
        assert_eq!(lengths, [(16384, false), (0, true)]);
    }

    #[test]
    fn characters_stay_whole() {
        let long = "x".to_owned() + &"€".repeat(6000);
        let found = split(&[long.as_bytes()]);
        assert_eq!(found[0].0.len(), 16384);
        assert_eq!(found[0].0.len() + found[1].0.len(), long.len());
        let shifted = "xx".to_owned() + &"€".repeat(6000);
        assert_eq!(split(&[shifted.as_bytes()])[0].0.len(), 16382);
    }
}
