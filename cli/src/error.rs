//! What went wrong, in the words Docker's users know, and the exit code.
//!
//! An error has one message, the causes below it and perhaps a hint. It is
//! printed once, by `main`: the message, `caused by:` lines, a `hint:` line.
//! Messages that stand in for an engine's answer begin as Docker's do.

use std::error::Error as StdError;
use std::fmt;

use coracle_view::Object;
use coracle_words::shorten;

/// The exit codes of Docker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExitStatus {
    Success,
    /// An ordinary failure.
    Failure,
    /// A template that does not parse.
    BadTemplate,
    /// `run`, `create` and `exec` failed before the process started; a bad flag.
    Ours,
    /// The command cannot be executed.
    NotExecutable,
    /// The command was not found.
    NotFound,
    /// The container's own code.
    Container(u8),
}

impl ExitStatus {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failure => 1,
            Self::BadTemplate => 64,
            Self::Ours => 125,
            Self::NotExecutable => 126,
            Self::NotFound => 127,
            Self::Container(code) => code,
        }
    }
}

pub(crate) type CommandResult = Result<ExitStatus, CliError>;

/// An error ready to be shown.
#[derive(Debug)]
pub(crate) struct CliError {
    pub(crate) message: String,
    pub(crate) causes: Vec<String>,
    pub(crate) hint: Option<String>,
    /// What was named and is not there, for a hint at what is.
    pub(crate) missing: Option<Box<(Object, String)>>,
    pub(crate) status: ExitStatus,
    /// A last paragraph that points at the help.
    pub(crate) note: Option<String>,
    /// `run` adds nothing to it.
    pub(crate) verbatim: bool,
    /// Nobody reads standard output any more; say nothing.
    pub(crate) quiet: bool,
}

impl CliError {
    /// A message in its final form, exit code 1.
    pub(crate) fn plain(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            causes: Vec::new(),
            hint: None,
            missing: None,
            status: ExitStatus::Failure,
            note: None,
            verbatim: false,
            quiet: false,
        }
    }

    /// The engine refused: `Error response from daemon: MESSAGE`.
    pub(crate) fn engine(message: impl fmt::Display) -> Self {
        Self::plain(format!("Error response from daemon: {message}"))
    }

    /// An error of one of the libraries, with its causes.
    pub(crate) fn library(error: &dyn StdError, hint: Option<String>) -> Self {
        let mut out = Self::engine(error);
        let mut last = error.to_string();
        let mut next = error.source();
        while let Some(cause) = next {
            let text = cause.to_string();
            // A transparent error has the words of its cause.
            if text != last {
                out.causes.push(text.clone());
            }
            last = text;
            next = cause.source();
        }
        out.hint = hint;
        out
    }

    /// A flag or command that exists in Docker and not here.
    pub(crate) fn unsupported(what: &str, why: &str) -> Self {
        Self::plain(format!("{what}: not supported: {why}"))
    }

    pub(crate) fn status(mut self, status: ExitStatus) -> Self {
        self.status = status;
        self
    }

    /// Keeps the message of `run` as it is, with exit code 1.
    pub(crate) fn verbatim(mut self) -> Self {
        self.verbatim = true;
        self
    }

    /// What the engine was about when it refused stands before its words.
    pub(crate) fn within(mut self, what: &str) -> Self {
        const ENGINE: &str = "Error response from daemon: ";
        let words = self.message.strip_prefix(ENGINE).unwrap_or(&self.message);
        self.message = format!("{ENGINE}{what}: {words}");
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shorten(&self.message))?;
        for cause in &self.causes {
            write!(f, "\ncaused by: {}", shorten(cause))?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\nhint: {}", shorten(hint))?;
        }
        if let Some(note) = &self.note {
            write!(f, "\n\n{note}")?;
        }
        Ok(())
    }
}

impl From<std::io::Error> for CliError {
    /// Writing output failed.
    fn from(error: std::io::Error) -> Self {
        let quiet = error.kind() == std::io::ErrorKind::BrokenPipe;
        Self { quiet, ..Self::plain(format!("cannot write the output: {error}")) }
    }
}

impl From<crate::format::TemplateError> for CliError {
    fn from(error: crate::format::TemplateError) -> Self {
        Self::plain(error.to_string())
    }
}

/// Errors of several objects, printed one after the other.
#[derive(Debug, Default)]
pub(crate) struct Failures(Vec<CliError>);

impl Failures {
    pub(crate) fn push(&mut self, error: impl Into<CliError>) {
        self.0.push(error.into());
    }

    /// Keeps the value of a success and remembers a failure.
    pub(crate) fn check<T>(&mut self, result: Result<T, impl Into<CliError>>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.push(error);
                None
            }
        }
    }

    /// Success when nothing failed, else one error with every message.
    pub(crate) fn finish(self) -> CommandResult {
        let mut errors = self.0.into_iter();
        let Some(mut first) = errors.next() else {
            return Ok(ExitStatus::Success);
        };
        for error in errors {
            first.message = format!("{first}\n{error}");
            first.causes.clear();
            first.hint = None;
        }
        Err(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_and_hint_follow_the_message() {
        let mut error = CliError::engine("cannot unpack layer").hint("pull again");
        error.causes.push("no space left on device".into());
        assert_eq!(
            error.to_string(),
            "Error response from daemon: cannot unpack layer\n\
             caused by: no space left on device\n\
             hint: pull again"
        );
    }

    #[test]
    fn several_failures_print_in_order() {
        let mut failures = Failures::default();
        failures.push(CliError::engine("No such container: a"));
        failures.push(CliError::engine("No such container: b"));
        let error = failures.finish().unwrap_err();
        assert_eq!(
            error.to_string(),
            "Error response from daemon: No such container: a\n\
             Error response from daemon: No such container: b"
        );
        assert_eq!(error.status.code(), 1);
    }
}
