//! The text of a Dockerfile, cut into instructions.
//!
//! # How it works
//!
//! [`parse`] goes through the lines once: directives at the top, comments, lines that go on in the
//! next one, bodies of heredocs. Each instruction is split by the form its name has
//! ([`line`]); what the parts mean is not asked here.
//!
//! # Limits
//!
//! A file has at most [`crate::limits::DOCKERFILE_BYTES_MAX`], a line [`crate::limits::LINE_BYTES_MAX`]; instructions
//! and words have bounds too, because each takes far more memory than its text.

pub mod directive;
mod heredoc;
mod line;
mod lines;
mod words;

pub use heredoc::Heredoc;
pub(crate) use heredoc::{heredoc, without_tabs};
pub use lines::parse;

use crate::source::Span;

/// A Dockerfile as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    pub lines: Vec<Line>,
    /// What `# escape=` chose.
    pub escape: char,
    /// Last lines of instructions that go on over an empty line.
    pub empty_continuations: Vec<Span>,
}

/// One instruction, over all the lines it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its name, as typed.
    pub name: String,
    /// `--flag` words before the arguments.
    pub flags: Vec<String>,
    pub arguments: Arguments,
    /// Without comments and ends of lines.
    pub text: String,
    pub heredocs: Vec<Heredoc>,
    /// The comments right above, without `#`.
    pub comments: Vec<String>,
    pub span: Span,
}

impl Line {
    /// How many parts it has.
    fn words(&self) -> usize {
        let arguments = match &self.arguments {
            Arguments::Words(words) | Arguments::Json(words) => words.len(),
            Arguments::Pairs(pairs) => pairs.len(),
            Arguments::Trigger(inner) => inner.words(),
        };
        self.flags.len() + arguments + self.comments.len()
    }
}

/// What follows the flags, split by the form that the instruction has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arguments {
    Words(Vec<String>),
    /// An array of JSON; with the type in front for `HEALTHCHECK`.
    Json(Vec<String>),
    Pairs(Vec<Pair>),
    /// Of `ONBUILD`.
    Trigger(Box<Line>),
}

impl Arguments {
    pub(crate) fn words(&self) -> &[String] {
        match self {
            Self::Words(words) | Self::Json(words) => words,
            Self::Pairs(_) | Self::Trigger(_) => &[],
        }
    }

    pub(crate) fn is_json(&self) -> bool {
        matches!(self, Self::Json(_))
    }
}

/// `KEY=VALUE`, or `KEY VALUE` as it was once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    pub key: String,
    pub value: String,
    /// Written with a blank.
    pub is_old: bool,
}
