//! Where Go's `yaml.v3`, and so Compose, takes more than YAML allows: such a place is written in
//! another way that means the same, and the file is read again.
//!
//! - a tab between a key and its value: `image:\tnginx`
//! - lines inside brackets or quotes that begin further left than what they belong to
//! - `\'` in double quotes
//!
//! The parser says where it stumbled, so that nothing else is touched. Columns that are shifted
//! by a repair are told, for messages.

use saphyr_parser::ScanError;

/// A text that says the same.
#[derive(Debug)]
pub(super) struct Repaired {
    pub(super) text: String,
    /// Lines, from 1, that begin with more spaces than they have in the file.
    pub(super) lines: Vec<usize>,
    /// How many more.
    pub(super) spaces: usize,
}

/// The text without what the error is about; nothing when Go refuses it too.
pub(super) fn repaired(text: &str, error: &ScanError) -> Option<Repaired> {
    let line = error.marker().line();
    let at = offset(text, line, error.marker().col())?;
    match error.info() {
        "':' must be followed by a valid YAML whitespace" => tab(text, at),
        "invalid indentation" | "invalid indentation in flow construct" => {
            Some(indented(text, vec![line]))
        }
        "invalid indentation in quoted scalar" => {
            let end = closing_quote(text, at)?;
            let inside = text[at..end].matches('\n').count();
            Some(indented(text, (line + 1..=line + inside).collect()))
        }
        "while parsing a quoted scalar, found unknown escape character" => escapes(text, at),
        _ => None,
    }
}

/// Where a line and column begin, in bytes.
fn offset(text: &str, line: usize, column: usize) -> Option<usize> {
    let start = match line.checked_sub(2) {
        None => 0,
        Some(before) => text.match_indices('\n').nth(before)?.0 + 1,
    };
    let rest = &text[start..];
    Some(start + rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at))
}

/// Spaces for the tabs before a value.
fn tab(text: &str, at: usize) -> Option<Repaired> {
    let before = text[..at].trim_end_matches(['\t', ' ']).len();
    let gap = &text[before..at];
    let spaces = gap.replace('\t', " ");
    (gap != spaces).then(|| Repaired {
        text: format!("{}{spaces}{}", &text[..before], &text[at..]),
        lines: Vec::new(),
        spaces: 0,
    })
}

/// These lines, moved to the right of all that came before.
fn indented(text: &str, lines: Vec<usize>) -> Repaired {
    let last = lines.last().copied().unwrap_or(0);
    let margin = |line: &str| line.len() - line.trim_start_matches([' ', '-']).len();
    let spaces = 1 + text.lines().take(last).map(margin).max().unwrap_or(0);
    let mut out = String::with_capacity(text.len() + spaces * lines.len());
    for (index, line) in text.split_inclusive('\n').enumerate() {
        // A blank line stands for a line break, however long it is.
        if lines.contains(&(index + 1)) && !line.trim().is_empty() {
            out.extend(std::iter::repeat_n(' ', spaces));
        }
        out.push_str(line);
    }
    Repaired { text: out, lines, spaces }
}

/// The end of the quoted text that begins at `at`, its quote not included.
fn closing_quote(text: &str, at: usize) -> Option<usize> {
    let quote = text[at..].chars().next().filter(|c| ['\'', '"'].contains(c))?;
    let mut chars = text[at + 1..].char_indices().peekable();
    while let Some((index, c)) = chars.next() {
        let next = chars.peek().map(|(_, c)| *c);
        match c {
            '\\' if quote == '"' => drop(chars.next()),
            '\'' if quote == '\'' && next == Some('\'') => drop(chars.next()),
            c if c == quote => return Some(at + 1 + index),
            _ => {}
        }
    }
    None
}

/// A double-quoted text with `'` for `\'`.
fn escapes(text: &str, at: usize) -> Option<Repaired> {
    let end = closing_quote(text, at)?;
    let mut out = text[..at].to_owned();
    let mut chars = text[at..end].chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('\\', Some('\'')) => {}
            ('\\', _) => out.extend(std::iter::once(c).chain(chars.next())),
            _ => out.push(c),
        }
    }
    let changed = out.len() < end;
    out.push_str(&text[end..]);
    changed.then_some(Repaired { text: out, lines: Vec::new(), spaces: 0 })
}

#[cfg(test)]
mod tests {
    use crate::tree::Node;

    fn read(text: &str) -> Node {
        crate::yaml::read(0, text.as_bytes()).unwrap().remove(0).root
    }

    fn text<'a>(root: &'a Node, key: &str) -> &'a str {
        root.get("s").and_then(|node| node.get(key)).and_then(Node::as_text).unwrap()
    }

    #[test]
    fn tabs_before_values() {
        let root = read("s:\n  a:\tx\n  b: \t y\n  c: |\n    k:\tv\n  d:\t'z'\n");
        assert_eq!(["a", "b", "c", "d"].map(|key| text(&root, key)), ["x", "y", "k:\tv\n", "z"]);
    }

    #[test]
    fn lines_further_left() {
        let root = read("s:\n    a: [\n  b,\n c, {\n    d: e\n }\n]\n    f: g\n");
        let list = root.get("s").unwrap().get("a").unwrap().as_list().unwrap();
        assert_eq!(list.len(), 3);
        assert_eq!(list[0].as_text(), Some("b"));
        assert_eq!((list[1].at.line, list[1].at.column), (4, 2));
        assert_eq!(list[2].get("d").and_then(Node::as_text), Some("e"));
        assert_eq!(text(&root, "f"), "g");

        let root = read("s:\n    a: \"one\n  two\n\nthree\"\n    b: 'it''s\nme'\n");
        assert_eq!(text(&root, "a"), "one two\nthree");
        assert_eq!(text(&root, "b"), "it's me");
    }

    #[test]
    fn quotes_in_quotes() {
        let root = read("s:\n  a: \"it\\'s\\\\\\'\\n\"\n");
        assert_eq!(text(&root, "a"), "it's\\'\n");
    }

    #[test]
    fn what_is_wrong_stays_wrong() {
        for text in
            ["s:\n  a: \"\\z\"", "s:\n\ta: b", "s:\n  a: b\n c: d", "s: [a\nb: c", "s:\t- a"]
        {
            assert!(crate::yaml::read(0, text.as_bytes()).is_err(), "{text:?}");
        }
    }
}
