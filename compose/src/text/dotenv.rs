//! Files of variables: `.env`, `--env-file`, `env_file`, `label_file`.
//!
//! `KEY=VALUE` or `KEY: VALUE`, `export ` before it allowed; a bare `KEY` takes the value it has
//! outside. Without quotes a value ends before ` #` and is trimmed; in single quotes it is taken
//! as it is; double quotes know escapes. Variables are expanded unless in single quotes. Quoted
//! values may span lines.

use std::collections::BTreeMap;

use crate::limits::VALUES_BYTES_MAX;

use super::template::{Lookup, substitute};

pub(crate) type Variables = BTreeMap<String, String>;

/// A mistake with its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DotenvError {
    pub(crate) line: usize,
    pub(crate) message: String,
}

/// Reads a file into `out`, on top of what is there. Names are looked up outside first, then
/// among the variables read so far.
pub(crate) fn read(
    text: &str,
    out: &mut Variables,
    outside: &dyn Lookup,
) -> Result<(), DotenvError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader { rest: text, line: 1 };
    let mut bytes = 0;
    while reader.skip_to_statement() {
        match reader.key()? {
            (key, Key::Bare) => {
                if let Some(value) = outside.get(&key) {
                    out.insert(key, value);
                }
            }
            (key, Key::Assigned) => {
                let value = reader.value(&Both { outside, read: out })?;
                bytes += value.len();
                if bytes > VALUES_BYTES_MAX {
                    return Err(reader.fail("the values grow beyond any use"));
                }
                out.insert(key, value);
            }
        }
    }
    Ok(())
}

/// The lookup of variables in a file: outside first, then what it has said so far.
struct Both<'a> {
    outside: &'a dyn Lookup,
    read: &'a Variables,
}

impl Lookup for Both<'_> {
    fn get(&self, name: &str) -> Option<String> {
        self.outside.get(name).or_else(|| self.read.get(name).cloned())
    }

    fn missing(&self, name: &str) {
        self.outside.missing(name);
    }
}

enum Key {
    Assigned,
    Bare,
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
}

impl Reader<'_> {
    fn fail(&self, message: impl Into<String>) -> DotenvError {
        DotenvError { line: self.line, message: message.into() }
    }

    fn advance(&mut self, bytes: usize) {
        self.line += self.rest[..bytes].matches('\n').count();
        self.rest = &self.rest[bytes..];
    }

    /// Past blank lines and comments; false at the end.
    fn skip_to_statement(&mut self) -> bool {
        loop {
            let start = self.rest.find(|c: char| !c.is_whitespace()).unwrap_or(self.rest.len());
            self.advance(start);
            if !self.rest.starts_with('#') {
                return !self.rest.is_empty();
            }
            let end = self.rest.find('\n').unwrap_or(self.rest.len());
            self.advance(end);
        }
    }

    fn key(&mut self) -> Result<(String, Key), DotenvError> {
        if let Some(after) = self.rest.strip_prefix("export")
            && after.starts_with(char::is_whitespace)
        {
            self.rest = after.trim_start_matches(is_blank);
        }
        let mut found = None;
        for (at, c) in self.rest.char_indices() {
            match c {
                '=' | ':' | '\n' => {
                    found = Some((at, c));
                    break;
                }
                '_' | '.' | '-' | '[' | ']' => {}
                c if is_blank(c) || c.is_alphanumeric() => {}
                c => {
                    let line = self.rest.lines().next().unwrap_or_default();
                    let text = format!("unexpected character {c:?} in variable name {line:?}");
                    return Err(self.fail(text));
                }
            }
        }
        // A key at the very end, without a line break, is none.
        let (end, next) = found.unwrap_or((0, '='));
        let key = self.rest[..end].trim_end().to_owned();
        if key.contains(' ') {
            return Err(self.fail("key cannot contain a space"));
        }
        let kind = if next == '\n' { Key::Bare } else { Key::Assigned };
        let after = found.map_or(0, |(at, c)| at + c.len_utf8());
        self.advance(after);
        let blanks = self.rest.len() - self.rest.trim_start_matches(is_blank).len();
        self.advance(blanks);
        if found.is_none() {
            return self.bare_at_end();
        }
        Ok((key, kind))
    }

    /// The last line without a line break: a bare key.
    fn bare_at_end(&mut self) -> Result<(String, Key), DotenvError> {
        let key = self.rest.trim_end().to_owned();
        if key.contains(' ') {
            return Err(self.fail("key cannot contain a space"));
        }
        self.advance(self.rest.len());
        Ok((key, Key::Bare))
    }

    fn value(&mut self, lookup: &dyn Lookup) -> Result<String, DotenvError> {
        match self.rest.chars().next() {
            Some(quote @ ('"' | '\'')) => self.quoted(quote, lookup),
            _ => {
                let line_end = self.rest.find('\n').unwrap_or(self.rest.len());
                let value = &self.rest[..line_end];
                let value = value.split(" #").next().unwrap_or_default().trim_end();
                let value = self.expand(value, lookup)?;
                self.advance((line_end + 1).min(self.rest.len()));
                Ok(value)
            }
        }
    }

    fn quoted(&mut self, quote: char, lookup: &dyn Lookup) -> Result<String, DotenvError> {
        let mut value = String::new();
        let mut escaped = false;
        for (at, c) in self.rest.char_indices().skip(1) {
            match c {
                c if c != quote && escaped => {
                    escaped = false;
                    value.extend(['\\', c]);
                }
                c if c != quote && c == '\\' => escaped = true,
                c if c != quote => value.push(c),
                c if escaped => {
                    escaped = false;
                    value.push(c);
                }
                _ => {
                    let value = match quote {
                        '"' => self.expand(&unescape(&value), lookup)?,
                        _ => value,
                    };
                    self.advance(at + 1);
                    return Ok(value);
                }
            }
        }
        let line = self.rest.lines().next().unwrap_or_default();
        Err(self.fail(format!("unterminated quoted value {line}")))
    }

    fn expand(&self, value: &str, lookup: &dyn Lookup) -> Result<String, DotenvError> {
        substitute(value, lookup).map_err(|error| self.fail(error.message()))
    }
}

/// White space within a line.
fn is_blank(c: char) -> bool {
    matches!(c, '\t' | '\u{b}' | '\u{c}' | '\r' | ' ' | '\u{85}' | '\u{a0}')
}

/// The escapes of double quotes: `\n` and its like, octal `\0nnn`; `\$` keeps a dollar.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let (value, length) = escape(rest);
        out.push_str(&value);
        rest = &rest[length..];
    }
    out.push_str(rest);
    out
}

/// What the escape at the start of `text` stands for, and its length.
fn escape(text: &str) -> (String, usize) {
    let kept = || (text[..1].to_owned(), 1);
    let one = |c: char| (c.to_string(), 2);
    match text[1..].chars().next() {
        Some('a') => one('\u{7}'),
        Some('b') => one('\u{8}'),
        Some('f') => one('\u{c}'),
        Some('n') => one('\n'),
        Some('r') => one('\r'),
        Some('t') => one('\t'),
        Some('v') => one('\u{b}'),
        Some('"') => one('"'),
        Some('\\') => one('\\'),
        Some('$') => ("$$".to_owned(), 2),
        Some('0') => {
            let digits = text[2..].bytes().take(3).take_while(u8::is_ascii_digit).count();
            let octal = &text[2..2 + digits];
            let value = (digits == 3).then(|| u32::from_str_radix(octal, 8).ok()).flatten();
            match value.filter(|value| *value < 256).and_then(char::from_u32) {
                Some(c) => (c.to_string(), 2 + digits),
                // Without its zero, as Compose leaves it.
                None => (format!("\\{octal}"), 2 + digits),
            }
        }
        _ => kept(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Outside;

    impl Lookup for Outside {
        fn get(&self, name: &str) -> Option<String> {
            (name == "OUT").then(|| "outside".to_owned())
        }

        fn missing(&self, _name: &str) {}
    }

    fn parsed(text: &str) -> Result<Variables, DotenvError> {
        let mut out = Variables::new();
        read(text, &mut out, &Outside)?;
        Ok(out)
    }

    fn value(text: &str) -> String {
        parsed(text).unwrap().remove("K").unwrap_or_else(|| "(unset)".to_owned())
    }

    #[test]
    fn forms_of_a_line() {
        for (text, expected) in [
            ("K=v", "v"),
            ("K: v\n", "v"),
            ("export K=v # c\n", "v"),
            ("  K = v w  \r\n", "v w"),
            ("K=a#b\n", "a#b"),
            ("K=\n", ""),
            ("K=\nL=x", ""),
            ("K\n", "(unset)"),
            ("# c\n\nK='a $OUT \\n'\n", "a $OUT \\n"),
            ("K=\"a\\tb \\$OUT $OUT\"", "a\tb $OUT outside"),
            ("K=\"two\nlines\"\nL=1", "two\nlines"),
            ("A=1\nK=${A}2$OUT\n", "12outside"),
            ("K='it\\'s'", "it's"),
            ("K=\"\\0101\\08\"", "A\\8"),
            ("K=\"x\" # c\n", "x"),
        ] {
            assert_eq!(value(text), expected, "{text:?}");
        }
        assert_eq!(parsed("OUT\n").unwrap()["OUT"], "outside");
        assert_eq!(parsed("OUT").unwrap()["OUT"], "outside");
    }

    #[test]
    fn mistakes_name_their_line() {
        let error = |text: &str| {
            let error = parsed(text).unwrap_err();
            format!("line {}: {}", error.line, error.message)
        };
        assert_eq!(error("A=1\nB C=2\n"), "line 2: key cannot contain a space");
        assert_eq!(error("A=1\n\nB='x\n"), "line 3: unterminated quoted value 'x");
        assert_eq!(error("A!=1"), "line 1: unexpected character '!' in variable name \"A!=1\"");
        assert_eq!(error("A=${"), "line 1: invalid interpolation format: ${");
    }
}
