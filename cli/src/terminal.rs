//! The terminal of the person at the keyboard: raw mode, size, detach keys.

use std::io::{self, BufRead as _, Write as _};

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

use crate::app::App;
use crate::error::CliError;

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
