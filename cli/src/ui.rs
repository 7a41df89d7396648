//! The only place that writes to the standard streams.
//!
//! [`Ui::data`] is what a script would parse; [`Ui::status`] is for people.
//! Nothing is coloured: what is said reads well without.

use std::io::{self, BufRead as _, IsTerminal as _, Write};

/// Standard input, output and error, with what is known of them.
#[derive(Debug)]
pub(crate) struct Ui {
    out: io::BufWriter<io::Stdout>,
    err: io::Stderr,
}

impl Ui {
    pub(crate) fn new() -> Self {
        Self { out: io::BufWriter::new(io::stdout()), err: io::stderr() }
    }

    /// Standard output. Flush happens at the end of the command.
    pub(crate) fn data(&mut self) -> &mut impl Write {
        &mut self.out
    }

    /// Standard error. What was written to standard output is shown first.
    pub(crate) fn status(&mut self) -> &mut impl Write {
        // A closed standard output is reported by the next write to it.
        self.out.flush().unwrap_or_default();
        &mut self.err
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    pub(crate) fn stdin_is_terminal() -> bool {
        io::stdin().is_terminal()
    }

    pub(crate) fn stdout_is_terminal() -> bool {
        io::stdout().is_terminal()
    }

    pub(crate) fn stderr_is_terminal() -> bool {
        io::stderr().is_terminal()
    }

    /// Asks a yes-or-no question on standard output; no answer means no.
    pub(crate) fn confirm(&mut self, question: &str) -> io::Result<bool> {
        write!(self.out, "{question} [y/N] ")?;
        self.out.flush()?;
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer)?;
        if answer.is_empty() {
            writeln!(self.out)?;
        }
        Ok(answer.trim().eq_ignore_ascii_case("y"))
    }
}
