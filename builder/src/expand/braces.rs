//! `${NAME…}`: a value, another in its stead, or a part of it.

use super::glob;
use super::lexer::Lexer;

impl Lexer<'_> {
    /// What follows `${`, with the `}`.
    pub(super) fn braces(&mut self) -> Result<String, String> {
        match self.peek() {
            None => return Err(NOT_CLOSED.to_owned()),
            Some('{' | '}' | ':') => return Err("syntax error: bad substitution".to_owned()),
            Some(_) => {}
        }
        let name = self.name();
        let mark = self.next();
        match mark {
            Some('}') => match self.value(&name) {
                None if self.keeps_unset() => Ok(format!("${{{name}}}")),
                value => Ok(value.unwrap_or_default()),
            },
            Some(':') => {
                let mark = self.next();
                self.modified(&name, mark, true)
            }
            Some('+' | '-' | '?' | '#' | '%') => self.modified(&name, mark, false),
            Some('/') => self.replaced(&name),
            mark => Err(unsupported(&shown(mark, false))),
        }
    }

    /// `:-` and its kind: with a colon an empty value counts as none.
    fn modified(
        &mut self,
        name: &str,
        mark: Option<char>,
        with_colon: bool,
    ) -> Result<String, String> {
        let shown = shown(mark, with_colon);
        let is_pattern = matches!(mark, Some('#' | '%'));
        if with_colon && is_pattern {
            return Err(unsupported(&shown));
        }
        let word = self.up_to('}', is_pattern, NOT_CLOSED)?;
        let value = self.value(name);
        if value.is_none() && self.keeps_unset() {
            return Ok(format!("${{{name}{shown}{word}}}"));
        }
        let counts = value.as_deref().is_some_and(|value| !with_colon || !value.is_empty());
        match mark {
            Some('-') if counts => Ok(value.unwrap_or_default()),
            Some('-') => Ok(word),
            Some('+') if counts => Ok(word),
            Some('+') => Ok(String::new()),
            Some('?') if counts => Ok(value.unwrap_or_default()),
            Some('?') => {
                let what = if value.is_some() { "empty" } else { "unset" };
                let why = format!("is not allowed to be {what}");
                Err(format!("{name}: {}", if word.is_empty() { why } else { word }))
            }
            Some(mark @ ('#' | '%')) => {
                // Doubled, it takes as much as it can.
                let (pattern, longest) = match word.strip_prefix(mark) {
                    Some(pattern) => (pattern, true),
                    None => (word.as_str(), false),
                };
                let value = value.unwrap_or_default();
                let cut = if mark == '#' { glob::without_prefix } else { glob::without_suffix };
                cut(pattern, &value, longest)
            }
            _ => Err(unsupported(&shown)),
        }
    }

    /// `/PATTERN/TEXT`: the first place, with another slash each.
    fn replaced(&mut self, name: &str) -> Result<String, String> {
        let all = self.peek() == Some('/');
        if all {
            self.next();
        }
        let pattern = self.up_to('/', true, "syntax error: missing '/' in ${}")?;
        let text = self.up_to('}', true, NOT_CLOSED)?;
        match self.value(name) {
            None if self.keeps_unset() => Ok(format!("${{{name}/{pattern}/{text}}}")),
            value => glob::replaced(&pattern, &value.unwrap_or_default(), &text, all),
        }
    }

    /// Up to a letter; where the text ends before, that is the error.
    fn up_to(&mut self, stop: char, keeps_escapes: bool, missing: &str) -> Result<String, String> {
        match self.run(Some(stop), keeps_escapes) {
            Ok((text, _)) => Ok(text),
            Err(_) if self.peek().is_none() => Err(missing.to_owned()),
            Err(why) => Err(why),
        }
    }
}

const NOT_CLOSED: &str = "syntax error: missing '}'";

/// A modifier in a message; where the text ends, the sign for a letter that is none.
fn shown(mark: Option<char>, with_colon: bool) -> String {
    let colon = if with_colon { ":" } else { "" };
    format!("{colon}{}", mark.unwrap_or(char::REPLACEMENT_CHARACTER))
}

fn unsupported(mark: &str) -> String {
    format!("unsupported modifier ({mark}) in substitution")
}
