//! From the text to instructions: which lines belong together.

use super::directive::{Key, Reader};
use super::heredoc::{self, Heredoc};
use super::{Document, line};
use crate::limits::{
    HEREDOCS_MAX, INSTRUCTION_BYTES_MAX, INSTRUCTIONS_MAX, LINE_BYTES_MAX, WORDS_MAX,
};
use crate::source::{Fault, Span};

/// Reads a Dockerfile.
///
/// # Errors
/// Where its form is wrong: a directive, an array of JSON, a heredoc without an end.
pub fn parse(text: &str) -> Result<Document, Fault> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Lines::new(text);
    let mut document =
        Document { lines: Vec::new(), escape: '\\', empty_continuations: Vec::new() };
    let mut directives = Reader::default();
    let mut comments: Vec<String> = Vec::new();
    let mut words = 0;
    while let Some(raw) = reader.next() {
        let before = reader.read - 1;
        let stripped = raw.trim_end_matches(['\r', '\n']).trim_start();
        if stripped.starts_with('#') {
            // What stands before the mark is not taken off, but one letter.
            let comment = raw.get(1..).unwrap_or_default().trim();
            if comment.is_empty() {
                comments.clear();
            } else {
                comments.push(comment.to_owned());
            }
        }
        match directives.next(stripped) {
            Err(why) => return Err(Fault::new(why).at(Span::line(before))),
            Ok(Some((Key::Escape, value))) => {
                document.escape = escape(&value).map_err(|fault| fault.at(Span::line(before)))?;
                comments.pop();
            }
            Ok(Some(_)) => drop(comments.pop()),
            Ok(None) => {}
        }
        let first = reader.read;
        let (begin, goes_on) = continued(uncommented(stripped), document.escape);
        if !goes_on && begin.is_empty() {
            continue;
        }
        let mut whole = begin.to_owned();
        let has_empty = goes_on && rest(&mut whole, &mut reader, document.escape, first)?;
        if has_empty {
            document.empty_continuations.push(Span::line(reader.read));
        }
        let here = Span::new(first, reader.read);
        let mut read = line::read(&whole, document.escape).map_err(|fault| fault.at(here))?;
        if line::may_have_heredocs(&read) && whole.contains("<<") {
            read.heredocs = bodies(&whole, &mut reader, first)?;
        }
        read.comments = std::mem::take(&mut comments);
        read.span = Span::new(first, reader.read);
        words += read.words();
        document.lines.push(read);
        for (what, count, most) in
            [("instructions", document.lines.len(), INSTRUCTIONS_MAX), ("words", words, WORDS_MAX)]
        {
            if count > most {
                return Err(Fault::new(format!("the Dockerfile has more than {most} {what}")));
            }
        }
    }
    if document.lines.is_empty() {
        return Err(Fault::new("file with no instructions").at(Span::line(reader.read)));
    }
    if reader.too_long {
        let why = format!("dockerfile line greater than max allowed size of {LINE_BYTES_MAX}");
        return Err(Fault::new(why).at(Span::line(reader.read)));
    }
    Ok(document)
}

/// Reads the lines in which an instruction goes on. Whether an empty one was among them.
fn rest(
    whole: &mut String,
    reader: &mut Lines<'_>,
    escape: char,
    first: usize,
) -> Result<bool, Fault> {
    let mut has_empty = false;
    let mut goes_on = true;
    while goes_on {
        let Some(raw) = reader.next() else { break };
        let part = raw.trim_end_matches(['\r', '\n']);
        if part.trim_start().starts_with('#') {
            continue;
        }
        if part.trim_start().is_empty() {
            has_empty = true;
            continue;
        }
        let (part, more) = continued(part, escape);
        whole.push_str(part);
        goes_on = more;
        if whole.len() > INSTRUCTION_BYTES_MAX {
            let why = format!("an instruction has more than {INSTRUCTION_BYTES_MAX} bytes");
            return Err(Fault::new(why).at(Span::new(first, reader.read)));
        }
    }
    Ok(has_empty)
}

/// Reads the bodies of the heredocs that a line begins.
fn bodies(line: &str, reader: &mut Lines<'_>, first: usize) -> Result<Vec<Heredoc>, Fault> {
    let mut found = heredoc::of_line(line).map_err(Fault::new)?;
    if found.len() > HEREDOCS_MAX {
        let why = format!("an instruction has more than {HEREDOCS_MAX} heredocs");
        return Err(Fault::new(why).at(Span::new(first, reader.read)));
    }
    for heredoc in &mut found {
        loop {
            let Some(raw) = reader.next() else {
                let here = Span::new(first, reader.read);
                return Err(Fault::new("unterminated heredoc").at(here));
            };
            let mut end = raw.trim_end_matches(['\r', '\n']);
            if heredoc.strips_tabs {
                end = end.trim_start_matches('\t');
            }
            if end == heredoc.name {
                break;
            }
            heredoc.content.push_str(raw);
        }
    }
    Ok(found)
}

fn escape(value: &str) -> Result<char, Fault> {
    match value {
        "`" => Ok('`'),
        "\\" => Ok('\\'),
        _ => Err(Fault::new(format!("invalid escape token '{value}' does not match ` or \\"))),
    }
}

fn uncommented(line: &str) -> &str {
    if line.starts_with('#') { "" } else { line }
}

/// The line without the mark that it goes on in the next one, and whether it had it. A mark that
/// is itself escaped is none.
fn continued(line: &str, escape: char) -> (&str, bool) {
    let Some(rest) = line.trim_end_matches([' ', '\t']).strip_suffix(escape) else {
        return (line, false);
    };
    if rest.ends_with(escape) { (line, false) } else { (rest, true) }
}

/// The lines of a text, with their ends.
struct Lines<'a> {
    rest: std::str::SplitInclusive<'a, char>,
    /// How many were read.
    read: usize,
    /// There was one that is too long; it ends the file.
    too_long: bool,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        Self { rest: text.split_inclusive('\n'), read: 0, too_long: false }
    }

    fn next(&mut self) -> Option<&'a str> {
        if self.too_long {
            return None;
        }
        let line = self.rest.next()?;
        if line.len() > LINE_BYTES_MAX + 1 {
            self.too_long = true;
            return None;
        }
        self.read += 1;
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Arguments, Document};
    use super::*;

    fn lines(text: &str) -> Vec<(String, usize, usize)> {
        let document = parse(text).unwrap();
        document.lines.iter().map(|l| (l.text.clone(), l.span.first, l.span.last)).collect()
    }

    fn fault(text: &str) -> (String, Vec<Span>) {
        let fault = parse(text).unwrap_err();
        (fault.message, fault.at)
    }

    #[test]
    fn lines_go_on_over_comments_and_empty_lines() {
        let text = "# x\n\nFROM a\n RUN b \\\n# no\n\n  c \\\n";
        assert_eq!(lines(text), [("FROM a".into(), 3, 3), ("RUN b   c ".into(), 4, 7)]);
        assert_eq!(parse(text).unwrap().empty_continuations, [Span::line(7)]);
        assert_eq!(
            lines("RUN a \\ \t\n b\\\\\nRUN c"),
            [("RUN a  b\\\\".into(), 1, 2), ("RUN c".into(), 3, 3)]
        );
        assert_eq!(lines("RUN a \\\r\n  b\r\n"), [("RUN a   b".into(), 1, 2)]);
    }

    #[test]
    fn another_escape_is_chosen_at_the_top() {
        let text = "# escape=`\nRUN a `\n b\\\nRUN c";
        assert_eq!(lines(text), [("RUN a  b\\".into(), 2, 3), ("RUN c".into(), 4, 4)]);
        assert_eq!(parse("# hello\n# escape=`\nRUN a").unwrap().escape, '\\');
        let (why, at) = fault("# escape=x\nFROM a\n");
        assert_eq!(
            (why.as_str(), at),
            ("invalid escape token 'x' does not match ` or \\", vec![Span::line(0)])
        );
        let (why, at) = fault("# escape=`\n# escape=\\\nFROM a\n");
        assert_eq!(
            (why.as_str(), at),
            ("only one escape parser directive can be used", vec![Span::line(1)])
        );
    }

    #[test]
    fn comments_right_above_belong_to_an_instruction() {
        let document: Document =
            parse("# syntax=x\n# a\n#\n# b\n\n# c\nFROM x\n# d\nRUN y").unwrap();
        assert_eq!(document.lines[0].comments, ["b", "c"]);
        assert_eq!(document.lines[1].comments, ["d"]);
    }

    #[test]
    fn heredocs_take_the_lines_below() {
        let text = "RUN cat <<A && cat <<-\"B\"\n1\nA\n\t2\n\tB\nCMD x\n";
        let document = parse(text).unwrap();
        let run = &document.lines[0];
        let bodies: Vec<_> =
            run.heredocs.iter().map(|h| (h.name.as_str(), h.content.as_str(), h.expands)).collect();
        assert_eq!(bodies, [("A", "1\n", true), ("B", "\t2\n", false)]);
        assert_eq!(run.span, Span::new(1, 5));
        assert_eq!(document.lines[1].span, Span::line(6));
        let (why, at) = fault("FROM a\nRUN <<E\necho x\n");
        assert_eq!((why.as_str(), at), ("unterminated heredoc", vec![Span::new(2, 3)]));
        let onbuild = &parse("ONBUILD RUN <<E\nx\nE\n").unwrap().lines[0];
        assert_eq!(onbuild.heredocs[0].content, "x\n");
        assert!(matches!(onbuild.arguments, Arguments::Trigger(_)));
        assert!(parse("CMD cat <<E\nRUN x\n").unwrap().lines[0].heredocs.is_empty());
    }

    #[test]
    fn what_is_no_dockerfile() {
        assert_eq!(fault("# only a comment\n\n").0, "file with no instructions");
        let long = format!("FROM a\nRUN {}\n", "x".repeat(LINE_BYTES_MAX));
        assert_eq!(fault(&long).0, "dockerfile line greater than max allowed size of 65535");
    }
}
