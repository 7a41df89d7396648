//! Rust source as rules look at it: without comments, and without what is only compiled for tests.

/// The text with blanks in the place of comments and of items below `#[cfg(test)]`; lines stay where they are.
/// Strings stay: rules look into them.
pub(super) fn code(text: &str) -> String {
    without_tests(&blank_comments(text))
}

/// A piece of source, as far as it must be told from others.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Piece {
    Code,
    Comment,
    /// A string or a character.
    Literal,
}

fn blank_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (piece, part) in pieces(text) {
        match piece {
            Piece::Comment => out.extend(part.chars().map(|c| if c == '\n' { c } else { ' ' })),
            _ => out.push_str(part),
        }
    }
    out
}

/// The text cut into pieces.
fn pieces(text: &str) -> Vec<(Piece, &str)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (piece, len) = if rest.starts_with("//") {
            (Piece::Comment, rest.find('\n').unwrap_or(rest.len()))
        } else if rest.starts_with("/*") {
            (Piece::Comment, block_comment(rest))
        } else if let Some(len) = literal(rest) {
            (Piece::Literal, len)
        } else if first.is_alphanumeric() || first == '_' {
            // A whole word, so that the `r` of `for` begins no string.
            (
                Piece::Code,
                rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len()),
            )
        } else {
            (Piece::Code, first.len_utf8())
        };
        found.push((piece, &rest[..len]));
        rest = &rest[len..];
    }
    found
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        match rest {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// The length of the string or character that `text` begins with.
fn literal(text: &str) -> Option<usize> {
    let body = text.trim_start_matches(['b', 'c']);
    let prefix = text.len() - body.len();
    if prefix > 1 {
        return None;
    }
    if let Some(raw) = body.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        let inner = raw[hashes..].strip_prefix('"')?;
        let end = format!("\"{}", "#".repeat(hashes));
        return inner.find(&end).map(|at| prefix + 1 + hashes + 1 + at + end.len());
    }
    let quote = body.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let inner = &body[1..];
    // `'a` is a lifetime, `'a'` a character.
    if quote == '\'' && !inner.starts_with('\\') && inner.chars().nth(1) != Some('\'') {
        return None;
    }
    let mut escaped = false;
    for (at, c) in inner.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return Some(prefix + 1 + at + 1),
            _ => {}
        }
    }
    None
}

const FOR_TESTS: &str = "#[cfg(test)]";

/// Blanks each item that `#[cfg(test)]` stands before: up to its `;`, or the end of its braces.
fn without_tests(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(FOR_TESTS) {
        let end = at + FOR_TESTS.len() + item_len(&rest[at + FOR_TESTS.len()..]);
        out.push_str(&rest[..at]);
        out.extend(rest[at..end].chars().map(|c| if c == '\n' { c } else { ' ' }));
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

fn item_len(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    for (piece, part) in pieces(text) {
        at += part.len();
        match part {
            _ if piece != Piece::Code => {}
            ";" if depth == 0 => break,
            "{" => depth += 1,
            "}" => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    break;
                }
            }
            _ => {}
        }
    }
    at
}

/// Modules that a file declares for tests alone.
pub(super) fn test_modules(text: &str) -> Vec<String> {
    let text = blank_comments(text);
    let items = text.split(FOR_TESTS).skip(1);
    let name = |item: &str| {
        let line = item.trim_start().split(';').next()?;
        let (before, name) = line.rsplit_once("mod ")?;
        (!name.contains(['{', '\n']) && !before.contains('{')).then(|| name.trim().to_owned())
    };
    items.filter_map(name).collect()
}

#[test]
fn comments_go_and_strings_stay() {
    let text = "a(\"// no\"); // yes\n/* /* x */ y */ b('\"', 'c', r#\"\"/*\"#);\nfor<'a> c";
    let blank = code(text);
    assert!(
        blank.contains("a(\"// no\");") && blank.contains("b('\"', 'c', r#\"\"/*\"#);"),
        "{blank}"
    );
    assert!(!blank.contains("yes") && !blank.contains('x') && !blank.contains('y'), "{blank}");
    assert_eq!((blank.lines().count(), blank.ends_with("for<'a> c")), (3, true));
}

#[test]
fn what_is_for_tests_goes() {
    let text = "#[cfg(test)]\nmod tests;\nfn a() {}\n#[cfg(test)]\nmod b { fn c() { '}'; \"}\"; } }\nfn d() {}";
    let kept: String = code(text).split_whitespace().collect();
    assert_eq!(kept, "fna(){}fnd(){}");
    assert_eq!(test_modules(text), ["tests"]);
}
