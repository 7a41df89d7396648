//! Cuts a template into text and the tokens of its `{{ }}` actions.

use std::ops::Range;

/// A piece of the template.
#[derive(Debug)]
pub(super) enum Piece {
    Text(String),
    Action { tokens: Vec<Token>, line: usize },
}

#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) span: Range<usize>,
    /// White space stands before it; `.A .B` is two operands, `.A.B` is one.
    pub(super) spaced: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenKind {
    Dot,
    Field(String),
    Variable(String),
    Word(String),
    Text(String),
    Int(i64),
    Float(f64),
    Pipe,
    Open,
    Close,
    Declare,
    Assign,
    Comma,
}

/// What is wrong, and on which line (from 1).
#[derive(Debug)]
pub(super) struct LexError {
    pub(super) line: usize,
    pub(super) message: String,
}

/// Cuts the whole template. Trim markers and comments are dealt with here.
pub(super) fn pieces(source: &str) -> Result<Vec<Piece>, LexError> {
    let mut out = Vec::new();
    let mut at = 0;
    let mut trim_next = false;
    while at < source.len() {
        let rest = &source[at..];
        let Some(found) = rest.find("{{") else {
            push_text(&mut out, rest, trim_next, false);
            break;
        };
        let open = at + found;
        let after = open + 2;
        let trims_left = source[after..].starts_with("- ") || source[after..].starts_with("-\n");
        push_text(&mut out, &source[at..open], trim_next, trims_left);
        let body = if trims_left { after + 1 } else { after };
        let line = line_of(source, open);
        let (tokens, end, trims_right) = action(source, body, line)?;
        if let Some(tokens) = tokens {
            out.push(Piece::Action { tokens, line });
        }
        trim_next = trims_right;
        at = end;
    }
    Ok(out)
}

/// Line number of a byte, from 1.
pub(super) fn line_of(source: &str, at: usize) -> usize {
    source[..at].matches('\n').count() + 1
}

fn push_text(out: &mut Vec<Piece>, text: &str, trim_start: bool, trim_end: bool) {
    let text = if trim_start { text.trim_start() } else { text };
    let text = if trim_end { text.trim_end() } else { text };
    if !text.is_empty() {
        out.push(Piece::Text(text.to_owned()));
    }
}

/// Reads one action from just after its opening braces.
/// Gives no tokens for a comment, the byte after `}}`, and whether it trims.
fn action(
    source: &str,
    from: usize,
    line: usize,
) -> Result<(Option<Vec<Token>>, usize, bool), LexError> {
    let fail = |message: String| LexError { line, message };
    if source[from..].trim_start().starts_with("/*") {
        let end = source[from..].find("*/").ok_or_else(|| fail("unclosed comment".into()))?;
        let rest = &source[from + end + 2..];
        let (skip, trims) =
            closing(rest).ok_or_else(|| fail("comment ends before closing delimiter".into()))?;
        return Ok((None, from + end + 2 + skip, trims));
    }
    let mut tokens = Vec::new();
    let mut at = from;
    let mut depth = 0usize;
    loop {
        let before = at;
        at += source[at..].len() - source[at..].trim_start().len();
        if let Some((skip, trims)) = closing(&source[before..]) {
            if depth > 0 {
                return Err(fail("unclosed left paren".into()));
            }
            return Ok((Some(tokens), before + skip, trims));
        }
        if at >= source.len() {
            return Err(fail("unclosed action".into()));
        }
        let (kind, length) = token(&source[at..]).map_err(fail)?;
        match kind {
            TokenKind::Open => depth += 1,
            TokenKind::Close => {
                depth =
                    depth.checked_sub(1).ok_or_else(|| fail("unexpected right paren".into()))?;
            }
            _ => {}
        }
        tokens.push(Token { kind, span: at..at + length, spaced: at > before });
        at += length;
    }
}

/// Recognises `}}` and ` -}}` at the start of `rest`.
fn closing(rest: &str) -> Option<(usize, bool)> {
    let trimmed = rest.trim_start();
    let blank = rest.len() - trimmed.len();
    if trimmed.starts_with("}}") {
        return Some((blank + 2, false));
    }
    (blank > 0 && trimmed.starts_with("-}}")).then_some((blank + 3, true))
}

/// The token at the start of `rest` (never empty, never white space).
fn token(rest: &str) -> Result<(TokenKind, usize), String> {
    let first = rest.chars().next().unwrap_or(' ');
    let word = |from: usize| {
        rest[from..]
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .map_or(rest.len(), |end| from + end)
    };
    match first {
        '|' => Ok((TokenKind::Pipe, 1)),
        '(' => Ok((TokenKind::Open, 1)),
        ')' => Ok((TokenKind::Close, 1)),
        ',' => Ok((TokenKind::Comma, 1)),
        '=' => Ok((TokenKind::Assign, 1)),
        ':' if rest.starts_with(":=") => Ok((TokenKind::Declare, 2)),
        ':' => Err("expected :=".into()),
        '"' => quoted(rest),
        '`' => {
            let end = rest[1..].find('`').ok_or("unterminated raw quoted string")?;
            Ok((TokenKind::Text(rest[1..=end].to_owned()), end + 2))
        }
        '$' => {
            let end = word(1);
            Ok((TokenKind::Variable(rest[..end].to_owned()), end))
        }
        '.' if !rest[1..].starts_with(|c: char| c.is_ascii_digit()) => {
            let end = word(1);
            let name = &rest[1..end];
            let kind =
                if name.is_empty() { TokenKind::Dot } else { TokenKind::Field(name.to_owned()) };
            Ok((kind, end))
        }
        '+' | '-' | '.' | '0'..='9' => number(rest),
        c if c.is_alphabetic() || c == '_' => {
            let end = word(0);
            Ok((TokenKind::Word(rest[..end].to_owned()), end))
        }
        c => Err(format!("unexpected {:?} in command", c.to_string())),
    }
}

fn number(rest: &str) -> Result<(TokenKind, usize), String> {
    let end = rest[1..]
        .find(|c: char| !(c.is_alphanumeric() || c == '.' || c == '_'))
        .map_or(rest.len(), |end| end + 1);
    let text = &rest[..end];
    if let Ok(value) = text.parse::<i64>() {
        return Ok((TokenKind::Int(value), end));
    }
    if let Some(hex) = text.strip_prefix("0x")
        && let Ok(value) = i64::from_str_radix(hex, 16)
    {
        return Ok((TokenKind::Int(value), end));
    }
    text.parse::<f64>()
        .map(|value| (TokenKind::Float(value), end))
        .map_err(|_| format!("bad number syntax: {text:?}"))
}

/// A double-quoted string with the usual escapes.
fn quoted(rest: &str) -> Result<(TokenKind, usize), String> {
    let mut out = String::new();
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok((TokenKind::Text(out), at + 1)),
            '\n' => break,
            '\\' => match chars.next() {
                Some((_, 'n')) => out.push('\n'),
                Some((_, 't')) => out.push('\t'),
                Some((_, 'r')) => out.push('\r'),
                Some((_, other @ ('"' | '\\' | '\''))) => out.push(other),
                Some((_, other)) => return Err(format!("unknown escape \\{other} in string")),
                None => break,
            },
            other => out.push(other),
        }
    }
    Err("unterminated quoted string".into())
}
