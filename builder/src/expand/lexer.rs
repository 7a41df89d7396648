//! Reads a text letter by letter.

use std::collections::HashSet;

use super::{Expander, Lookup};
use crate::limits::{EXPANDED_BYTES_MAX, SUBSTITUTION_DEPTH_MAX};

pub(super) struct Lexer<'a> {
    rules: &'a Expander,
    chars: Vec<char>,
    at: usize,
    get: Lookup<'a>,
    /// Escapes stay, here: also in patterns.
    keeps_escapes: bool,
    depth: usize,
    bytes_max: usize,
    pub(super) set: Vec<String>,
    pub(super) unset: Vec<String>,
    /// All of both.
    noted: HashSet<String>,
}

/// Words as they grow.
#[derive(Default)]
struct Words {
    done: Vec<String>,
    word: String,
}

impl Words {
    /// A letter that ends a word if it is blank.
    fn letter(&mut self, c: char) {
        if !c.is_whitespace() {
            self.word.push(c);
        } else if !self.word.is_empty() {
            self.done.push(std::mem::take(&mut self.word));
        }
    }

    fn finish(mut self) -> Vec<String> {
        if !self.word.is_empty() {
            self.done.push(self.word);
        }
        self.done
    }
}

impl<'a> Lexer<'a> {
    pub(super) fn new(rules: &'a Expander, text: &str, get: Lookup<'a>) -> Self {
        Self {
            rules,
            chars: text.chars().collect(),
            at: 0,
            get,
            keeps_escapes: rules.keeps_escapes,
            depth: 0,
            bytes_max: EXPANDED_BYTES_MAX + text.len(),
            set: Vec::new(),
            unset: Vec::new(),
            noted: HashSet::new(),
        }
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let next = self.peek();
        self.at += usize::from(next.is_some());
        next
    }

    pub(super) fn keeps_unset(&self) -> bool {
        self.rules.keeps_unset
    }

    /// Up to the letter `stop`, which is taken, or to the end: as one text, and as words.
    pub(super) fn run(
        &mut self,
        stop: Option<char>,
        keeps_escapes: bool,
    ) -> Result<(String, Vec<String>), String> {
        self.depth += 1;
        if self.depth > SUBSTITUTION_DEPTH_MAX {
            return Err("substitutions are nested too deeply".to_owned());
        }
        let outer = std::mem::replace(&mut self.keeps_escapes, keeps_escapes);
        let result = self.run_inside(stop);
        self.keeps_escapes = outer;
        self.depth -= 1;
        result
    }

    fn run_inside(&mut self, stop: Option<char>) -> Result<(String, Vec<String>), String> {
        let mut text = String::new();
        let mut words = Words::default();
        while let Some(c) = self.next() {
            if stop == Some(c) {
                return Ok((text, words.finish()));
            }
            if text.len() > self.bytes_max {
                return Err(format!("it becomes longer than {} bytes", self.bytes_max));
            }
            match c {
                '$' => {
                    let value = self.dollar()?;
                    text.push_str(&value);
                    value.chars().for_each(|c| words.letter(c));
                }
                '\'' | '"' if !self.rules.ignores_quotes => {
                    let inside =
                        if c == '"' { self.double_quoted()? } else { self.single_quoted()? };
                    text.push_str(&inside);
                    words.word.push_str(&inside);
                }
                '<' => {
                    let mark = self.angle();
                    text.push_str(&mark);
                    words.word.push_str(&mark);
                }
                c if c == self.rules.escape => {
                    if self.keeps_escapes {
                        text.push(c);
                        words.word.push(c);
                    }
                    // At the very end it is nothing.
                    let Some(next) = self.next() else { break };
                    text.push(next);
                    words.word.push(next);
                }
                c => {
                    text.push(c);
                    words.letter(c);
                }
            }
        }
        match stop {
            Some(stop) => {
                Err(format!("unexpected end of statement while looking for matching {stop}"))
            }
            None => Ok((text, words.finish())),
        }
    }

    fn single_quoted(&mut self) -> Result<String, String> {
        let mut out = String::new();
        if self.rules.keeps_quotes {
            out.push('\'');
        }
        while let Some(c) = self.next() {
            if c == '\'' {
                if self.rules.keeps_quotes {
                    out.push(c);
                }
                return Ok(out);
            }
            out.push(c);
        }
        Err("unexpected end of statement while looking for matching single-quote".to_owned())
    }

    fn double_quoted(&mut self) -> Result<String, String> {
        let mut out = String::new();
        if self.rules.keeps_quotes {
            out.push('"');
        }
        while let Some(c) = self.next() {
            match c {
                '"' => {
                    if self.rules.keeps_quotes {
                        out.push(c);
                    }
                    return Ok(out);
                }
                '$' => out.push_str(&self.dollar()?),
                c if c == self.rules.escape => {
                    if self.keeps_escapes {
                        out.push(c);
                    }
                    // Only what means something here can be escaped.
                    match self.peek() {
                        None => {}
                        Some(next) if matches!(next, '"' | '$') || next == c => {
                            out.extend(self.next());
                        }
                        Some(_) => out.push(c),
                    }
                }
                c => out.push(c),
            }
        }
        Err("unexpected end of statement while looking for matching double-quote".to_owned())
    }

    /// `<<` and blanks after it stay together with the word of a heredoc.
    fn angle(&mut self) -> String {
        if self.peek() != Some('<') {
            return "<".to_owned();
        }
        self.next();
        let mut out = "<<".to_owned();
        while let Some(c @ ('\t' | '\r' | ' ')) = self.peek() {
            out.push(c);
            self.next();
        }
        out
    }

    /// A variable, after its `$`.
    fn dollar(&mut self) -> Result<String, String> {
        if self.peek() == Some('{') {
            self.next();
            return self.braces();
        }
        let name = self.name();
        if name.is_empty() {
            return Ok("$".to_owned());
        }
        match self.value(&name) {
            None if self.keeps_unset() => Ok(format!("${name}")),
            value => Ok(value.unwrap_or_default()),
        }
    }

    /// Letters, digits and `_`; or digits alone; or one of the shell's special parameters.
    pub(super) fn name(&mut self) -> String {
        let mut name = String::new();
        match self.peek() {
            Some(c) if c.is_numeric() => {
                while let Some(c) = self.peek().filter(|c| c.is_numeric()) {
                    name.push(c);
                    self.next();
                }
                return name;
            }
            Some(c @ ('@' | '*' | '#' | '?' | '-' | '$' | '!')) => {
                self.next();
                return c.to_string();
            }
            _ => {}
        }
        while let Some(c) = self.peek().filter(|c| c.is_alphanumeric() || *c == '_') {
            name.push(c);
            self.next();
        }
        name
    }

    /// The value of a variable, whose name is noted.
    pub(super) fn value(&mut self, name: &str) -> Option<String> {
        let value = (self.get)(name);
        let names = if value.is_some() { &mut self.set } else { &mut self.unset };
        if self.noted.insert(name.to_owned()) {
            names.push(name.to_owned());
        }
        value
    }
}
