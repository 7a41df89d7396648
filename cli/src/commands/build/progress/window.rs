//! The last lines a command wrote, as a terminal would have them: carriage returns begin the line again, sequences
//! that colour or move are left out.
//!
//! Moves of the cursor are not followed: what draws over several lines is shown one line after the other.

use std::collections::VecDeque;

/// Lines that are kept; [`Window::last`] shows fewer.
const LINES_MAX: usize = 32;
/// Characters of a line that are kept.
const CHARS_MAX: usize = 1024;

#[derive(Debug, Default)]
pub(super) struct Window {
    lines: VecDeque<String>,
    /// The line that has no end yet.
    open: String,
    /// The cursor is at its begin.
    returned: bool,
    escape: Escape,
    /// Bytes of a character that is not whole.
    part: Vec<u8>,
    pub(super) bytes: usize,
}

/// Where in a control sequence we are.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
enum Escape {
    #[default]
    None,
    /// After `ESC`.
    Begun,
    /// After `ESC [`: until a letter.
    Control,
    /// After `ESC ]`: until `BEL` or `ESC \`.
    Text,
}

impl Window {
    pub(super) fn write(&mut self, bytes: &[u8]) {
        self.bytes = self.bytes.saturating_add(bytes.len());
        self.part.extend_from_slice(bytes);
        let part = std::mem::take(&mut self.part);
        let mut rest = part.as_slice();
        loop {
            let (text, wrong) = match str::from_utf8(rest) {
                Ok(text) => (text, None),
                Err(error) => {
                    let (good, _) = rest.split_at(error.valid_up_to());
                    (str::from_utf8(good).unwrap_or_default(), Some(error))
                }
            };
            text.chars().for_each(|character| self.put(character));
            let Some(error) = wrong else { break };
            rest = &rest[error.valid_up_to()..];
            let Some(length) = error.error_len() else {
                self.part = rest.to_vec();
                break;
            };
            self.put(char::REPLACEMENT_CHARACTER);
            rest = &rest[length..];
        }
    }

    fn put(&mut self, character: char) {
        self.escape = match (self.escape, character) {
            (Escape::Begun, '[') => Escape::Control,
            (Escape::Begun, ']') => Escape::Text,
            (Escape::Begun, ' '..='/') => return,
            (Escape::Begun, _) => Escape::None,
            (Escape::Control, '@'..='~') | (Escape::Text, '\x07') => Escape::None,
            (Escape::None | Escape::Text, '\x1b') => Escape::Begun,
            (Escape::Control | Escape::Text, _) => return,
            (Escape::None, _) => return self.show(character),
        };
    }

    fn show(&mut self, character: char) {
        match character {
            '\n' => {
                self.lines.push_back(std::mem::take(&mut self.open));
                self.returned = false;
                if self.lines.len() > LINES_MAX {
                    self.lines.pop_front();
                }
            }
            '\r' => self.returned = true,
            '\t' => self.open.push(' '),
            character if character.is_control() => {}
            character => {
                if std::mem::take(&mut self.returned) {
                    self.open.clear();
                }
                if self.open.len() < CHARS_MAX {
                    self.open.push(character);
                }
            }
        }
    }

    /// The last `count` lines that are not empty, oldest first.
    pub(super) fn last(&self, count: usize) -> Vec<&str> {
        let lines = self.lines.iter().map(String::as_str).chain([self.open.as_str()]);
        let mut lines: Vec<&str> =
            lines.rev().filter(|line| !line.trim().is_empty()).take(count).collect();
        lines.reverse();
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(text: &[u8]) -> Window {
        let mut window = Window::default();
        // Cut anywhere.
        text.iter().for_each(|byte| window.write(&[*byte]));
        window
    }

    #[test]
    fn a_line_that_counts_is_one() {
        assert_eq!(after(b"a\n 0%\r 50%\r100%\nb").last(9), ["a", "100%", "b"]);
        assert_eq!(
            after(b"50%\r").last(9),
            ["50%"],
            "it is there until something is written over it"
        );
    }

    #[test]
    fn control_characters_are_left_out() {
        let window =
            after(b"\x1b[31mred\x1b[0m\x1b]0;title\x07 \x1b]8;;x\x1b\\link\x1b(B\x08\n\n  \n");
        assert_eq!(window.last(9), ["red link"]);
    }

    #[test]
    fn characters_and_what_is_none() {
        assert_eq!(after("grün ✔\n".as_bytes()).last(1), ["grün ✔"]);
        assert_eq!(after(b"\xff\xc3x\n").last(1), ["\u{fffd}\u{fffd}x"]);
    }

    #[test]
    fn little_is_kept() {
        let window = after(&[b"x".repeat(5000), b"\n".repeat(100), b"1\n2\n3\n".to_vec()].concat());
        assert_eq!(window.last(2), ["2", "3"]);
        assert_eq!(window.lines.len(), LINES_MAX);
        assert_eq!(after(&b"x".repeat(5000)).open.len(), CHARS_MAX);
    }
}
