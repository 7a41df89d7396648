//! How the rest of a line is split: at blanks, with or without regard for quotes, into pairs.

use super::{Arguments, Pair};
use crate::source::Fault;

/// What separates words; the end of a line is not in it.
pub(super) fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\u{b}' | '\u{c}' | '\r')
}

/// Words between blanks; quotes mean nothing.
pub(super) fn split(text: &str) -> Vec<String> {
    text.split(is_blank).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// The `--flag` words in front, without quotes and escapes, and the rest. `--` alone ends them.
pub(super) fn flags(text: &str, escape: char) -> (Vec<String>, &str) {
    let mut flags = Vec::new();
    let mut rest = text.trim_start();
    while rest.starts_with("--") {
        let (word, was_quoted, after) = flag(rest, escape);
        if word == "--" {
            return (flags, after);
        }
        if was_quoted || !word.is_empty() {
            flags.push(word);
        }
        rest = after.trim_start();
    }
    (flags, rest)
}

/// One flag, whether a part of it was quoted, and what follows.
fn flag(text: &str, escape: char) -> (String, bool, &str) {
    let mut word = String::new();
    let (mut quote, mut was_quoted) = (None, false);
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            // At the very end an escape is nothing.
            (c, _) if c == escape => word.extend(chars.next().map(|(_, next)| next)),
            (c, None) if c.is_whitespace() => return (word, was_quoted, &text[at..]),
            ('\'' | '"', None) => {
                quote = Some(c);
                was_quoted = true;
            }
            (c, _) => word.push(c),
        }
    }
    (word, was_quoted, "")
}

/// Words between blanks that are not in quotes; quotes and escapes stay, for the expansion.
pub(super) fn quoted(text: &str, escape: char) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if quote.is_none() && c.is_whitespace() {
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            continue;
        }
        // Nothing can be escaped between single quotes.
        if c == escape && quote != Some('\'') {
            if let Some(next) = chars.next() {
                word.push(c);
                word.push(next);
            }
            continue;
        }
        match quote {
            Some(open) if c == open => quote = None,
            None if c == '\'' || c == '"' => quote = Some(c),
            _ => {}
        }
        word.push(c);
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// `KEY=VALUE …`, or `KEY VALUE`: whether the first word has a `=` tells which.
pub(super) fn pairs(text: &str, instruction: &str, escape: char) -> Result<Arguments, Fault> {
    let words = quoted(text, escape);
    let Some(first) = words.first() else { return Ok(Arguments::Pairs(Vec::new())) };
    if !first.contains('=') {
        let Some((key, value)) = text.split_once(is_blank) else {
            return Err(Fault::new(format!("{instruction} must have two arguments")));
        };
        let value = value.trim_start_matches(is_blank);
        let pair = Pair { key: key.to_owned(), value: value.to_owned(), is_old: true };
        return Ok(Arguments::Pairs(vec![pair]));
    }
    let pairs = words.iter().map(|word| match word.split_once('=') {
        Some((key, value)) => {
            Ok(Pair { key: key.to_owned(), value: value.to_owned(), is_old: false })
        }
        None => Err(Fault::new(format!(
            "Syntax error - can't find = in {word:?}. Must be of the form: name=value"
        ))),
    });
    pairs.collect::<Result<_, _>>().map(Arguments::Pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_keep_blanks_together_and_stay() {
        assert_eq!(quoted(r#"a="b c" d='e \' f\ g"#, '\\'), [r#"a="b c""#, r"d='e \'", r"f\ g"]);
        assert_eq!(quoted(r#"a"b\"c" d\"#, '\\'), [r#"a"b\"c""#, "d"]);
        assert_eq!(quoted("a`\"b c\" d", '`'), ["a`\"b", "c\" d"], "the escaped one opens nothing");
    }

    #[test]
    fn pairs_and_the_old_form() {
        let pair =
            |key: &str, value: &str, is_old| Pair { key: key.into(), value: value.into(), is_old };
        let read = |text| match pairs(text, "ENV", '\\') {
            Ok(Arguments::Pairs(pairs)) => Ok(pairs),
            Ok(_) => unreachable!("pairs only"),
            Err(fault) => Err(fault.message),
        };
        assert_eq!(
            read("a=b c=\"d e\""),
            Ok(vec![pair("a", "b", false), pair("c", "\"d e\"", false)])
        );
        assert_eq!(read("a  b c=d"), Ok(vec![pair("a", "b c=d", true)]));
        assert_eq!(read("a"), Err("ENV must have two arguments".into()));
        let why = "Syntax error - can't find = in \"be\". Must be of the form: name=value";
        assert_eq!(read("A=${B:?must be set}"), Err(why.into()));
    }
}
