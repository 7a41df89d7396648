//! The terminal of the person at the keyboard: raw mode, size, detach keys.

use std::io::{self, BufRead as _, Write as _};

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

use crate::app::App;
use crate::error::CliError;

/// Leaves the session unless the user chose other keys.
const DETACH_KEYS: &str = "ctrl-p,ctrl-q";

/// Standard input in raw mode, put back when this goes out of scope.
#[derive(Debug)]
pub(crate) struct RawMode {
    before: Termios,
}

impl RawMode {
    /// `None` when standard input is not a terminal.
    pub(crate) fn enter() -> Option<Self> {
        let stdin = io::stdin();
        let before = tcgetattr(&stdin).ok()?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(&stdin, OptionalActions::Now, &raw).ok()?;
        Some(Self { before })
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing put back.
        tcsetattr(io::stdin(), OptionalActions::Now, &self.before).unwrap_or_default();
    }
}

/// Whether standard input was a terminal that has been hung up.
pub(crate) fn is_gone() -> bool {
    matches!(tcgetwinsize(io::stdin()), Err(rustix::io::Errno::IO))
}

/// Columns and rows, of standard output or of standard input.
pub(crate) fn size() -> Option<(u16, u16)> {
    let size = tcgetwinsize(io::stdout()).or_else(|_| tcgetwinsize(io::stdin())).ok()?;
    (size.ws_col > 0 && size.ws_row > 0).then_some((size.ws_col, size.ws_row))
}

/// Columns of standard output, when that is a terminal which tells.
pub(crate) fn width_of_stdout() -> Option<u16> {
    tcgetwinsize(io::stdout()).ok().map(|size| size.ws_col).filter(|width| *width > 0)
}

/// As [`size`], of standard error.
pub(crate) fn size_of_stderr() -> Option<(u16, u16)> {
    let size = tcgetwinsize(io::stderr()).ok()?;
    (size.ws_col > 0 && size.ws_row > 0).then_some((size.ws_col, size.ws_row))
}

/// Asks a person, and reads a line of standard input.
pub(crate) fn ask(app: &mut App, question: &str) -> Result<String, CliError> {
    write!(app.ui.data(), "{question}")?;
    app.ui.flush()?;
    let mut answer = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut answer)
        .map_err(|e| CliError::plain(format!("cannot read the answer: {e}")))?;
    Ok(answer.trim().to_owned())
}

/// Asks with the terminal's echo switched off.
pub(crate) fn ask_unseen(app: &mut App, question: &str) -> Result<String, CliError> {
    use rustix::termios::LocalModes;
    let stdin = std::io::stdin();
    let before = tcgetattr(&stdin).ok();
    if let Some(before) = &before {
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&stdin, OptionalActions::Flush, &silent)
            .map_err(|e| CliError::plain(format!("cannot switch off the echo: {e}")))?;
    }
    let answer = ask(app, question);
    if let Some(before) = &before {
        // The answer counts more than a terminal that has gone away.
        tcsetattr(&stdin, OptionalActions::Flush, before).unwrap_or_default();
    }
    writeln!(app.ui.data())?;
    answer
}

/// Watches what is typed for the keys that leave a session.
#[derive(Debug)]
pub(crate) struct DetachKeys {
    keys: Vec<u8>,
    matched: usize,
}

impl DetachKeys {
    /// Keys such as `ctrl-p,ctrl-q` or `ctrl-x` or `a`.
    pub(crate) fn parse(text: Option<&str>) -> Result<Self, CliError> {
        let text = text.filter(|text| !text.is_empty()).unwrap_or(DETACH_KEYS);
        let known = |name| {
            key(name).ok_or_else(|| {
                let text = format!("invalid detach keys ({text}): Unknown character: '{name}'");
                CliError::plain(text).verbatim()
            })
        };
        let keys = text.split(',').map(known).collect::<Result<Vec<u8>, _>>()?;
        Ok(Self { keys, matched: 0 })
    }

    /// What of `typed` goes to the container; true when the keys are complete.
    ///
    /// Keys that begin the sequence are held back until it is clear what they are.
    pub(crate) fn filter(&mut self, typed: &[u8]) -> (Vec<u8>, bool) {
        let mut out = Vec::with_capacity(typed.len());
        for byte in typed {
            if self.keys.get(self.matched) == Some(byte) {
                self.matched += 1;
                if self.matched == self.keys.len() {
                    return (out, true);
                }
                continue;
            }
            out.extend_from_slice(&self.keys[..self.matched]);
            self.matched = 0;
            if self.keys.first() == Some(byte) {
                self.matched = 1;
            } else {
                out.push(*byte);
            }
        }
        (out, false)
    }
}

fn key(text: &str) -> Option<u8> {
    if let Some(letter) = text.strip_prefix("ctrl-") {
        let [byte] = letter.as_bytes() else { return None };
        return match byte {
            b'a'..=b'z' => Some(byte - b'a' + 1),
            b'@' => Some(0),
            b'[' => Some(27),
            b'\\' => Some(28),
            b']' => Some(29),
            b'^' => Some(30),
            b'_' => Some(31),
            _ => None,
        };
    }
    match text.as_bytes() {
        [byte] => Some(*byte),
        b"DEL" => Some(127),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_are_held_back_until_they_are_clear() {
        let mut keys = DetachKeys::parse(None).unwrap();
        assert_eq!(keys.filter(b"ab\x10"), (b"ab".to_vec(), false));
        assert_eq!(keys.filter(b"c"), (b"\x10c".to_vec(), false));
        assert_eq!(keys.filter(b"\x10\x10\x11"), (b"\x10".to_vec(), true));
    }

    #[test]
    fn other_keys() {
        let mut keys = DetachKeys::parse(Some("ctrl-x")).unwrap();
        assert_eq!(keys.filter(b"a\x18b"), (b"a".to_vec(), true));
        let error = DetachKeys::parse(Some("ctrl-px")).unwrap_err();
        assert_eq!(error.message, "invalid detach keys (ctrl-px): Unknown character: 'ctrl-px'");
    }
}
