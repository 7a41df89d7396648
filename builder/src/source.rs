//! Places in a Dockerfile, and an error with the places it is about.

use std::fmt::Write as _;

use coracle_words::ErrorKind;

/// Lines of a file, counted from 1, both included. Line 0 is nowhere.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    pub first: usize,
    pub last: usize,
}

impl Span {
    pub fn line(line: usize) -> Self {
        Self { first: line, last: line }
    }

    /// From one line to another; backwards it is the first alone.
    pub fn new(first: usize, last: usize) -> Self {
        Self { first, last: last.max(first) }
    }
}

/// Why a Dockerfile cannot be built, in BuildKit's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    pub message: String,
    /// The instructions it is about, if it is about any.
    pub at: Vec<Span>,
}

impl Fault {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), at: Vec::new() }
    }

    /// The place, unless it has one.
    pub(crate) fn at(mut self, span: Span) -> Self {
        if self.at.is_empty() {
            self.at.push(span);
        }
        self
    }

    /// What was being done stands before its words.
    pub(crate) fn within(mut self, what: &str) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }

    pub fn kind(&self) -> ErrorKind {
        ErrorKind::BadRequest
    }
}

/// The lines of `text` around `spans`, as BuildKit shows where something is:
/// `NAME:LINE` and the lines with their numbers, marked with `>>>`. Empty when there is no such place.
pub fn excerpt(name: &str, text: &str, spans: &[Span]) -> String {
    let lines: Vec<&str> = text.split('\n').collect();
    let (Some(first), Some(last)) =
        (spans.iter().map(|span| span.first).min(), spans.iter().map(|span| span.last).max())
    else {
        return String::new();
    };
    if first < 1 || first > lines.len() {
        return String::new();
    }
    let (mut from, mut to) = (first, last.min(lines.len()));
    let wanted = if from == to { 4 } else { 2 };
    let mut added = 0;
    // A side that has ended leaves its share to the other; a turn counts too.
    while added < wanted {
        if from > 1 {
            from -= 1;
            added += 1;
        }
        if to < lines.len() {
            to += 1;
            added += 1;
        }
        added += 1;
    }
    let mut out = format!("{name}:{first}\n{RULE}\n");
    for number in from..=to {
        let inside = spans.iter().any(|span| (span.first..=span.last).contains(&number));
        let mark = if inside { ">>>" } else { "   " };
        // Writing to a string does not fail.
        writeln!(out, " {number:3} | {mark} {}", lines[number - 1]).unwrap_or_default();
    }
    out + RULE + "\n"
}

const RULE: &str = "--------------------";

#[cfg(test)]
mod tests {
    use super::{Span, excerpt};

    #[test]
    fn two_lines_around_one_and_one_around_several() {
        let text = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n";
        let shown = |first, last| {
            let all = excerpt("D", text, &[Span::new(first, last)]);
            all.lines()
                .filter_map(|line| line.split_once(" | "))
                .map(|(_, l)| l.to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(shown(5, 5), ["    3", "    4", ">>> 5", "    6", "    7"]);
        assert_eq!(shown(5, 6), ["    4", ">>> 5", ">>> 6", "    7"]);
        assert_eq!(shown(10, 10), ["    8", "    9", ">>> 10", "    "]);
        assert_eq!(shown(1, 1), [">>> 1", "    2", "    3"]);
        let whole = excerpt("b/Dockerfile", "FROM\n", &[Span::line(1)]);
        let rule = "-".repeat(20);
        assert_eq!(
            whole,
            format!("b/Dockerfile:1\n{rule}\n   1 | >>> FROM\n   2 |     \n{rule}\n")
        );
        assert_eq!(excerpt("D", text, &[]) + &excerpt("D", text, &[Span::line(0)]), "");
    }
}
