//! Variables, quotes and escapes in the arguments of instructions.
//!
//! `$NAME`, `${NAME}` and the forms with a modifier ([`braces`]) are replaced; quotes and escapes go,
//! unless they are to be kept. A text is read once, from left to right, and what is put in is not
//! read again.

mod braces;
mod glob;
mod lexer;

use lexer::Lexer;

/// Values of variables, by name.
pub(crate) type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// No variables.
pub(crate) const NOTHING: Lookup<'static> = &|_| None;

/// How a text is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expander {
    pub(crate) escape: char,
    pub(crate) keeps_quotes: bool,
    pub(crate) keeps_escapes: bool,
    /// Quotes are letters like others: in bodies of heredocs.
    pub(crate) ignores_quotes: bool,
    /// A variable that is not set stays as it is written.
    pub(crate) keeps_unset: bool,
}

/// What became of a text, and the names in it, in their order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Expanded {
    pub(crate) text: String,
    /// Those that are set.
    pub(crate) set: Vec<String>,
    pub(crate) unset: Vec<String>,
}

impl Expander {
    pub(crate) fn new(escape: char) -> Self {
        Self {
            escape,
            keeps_quotes: false,
            keeps_escapes: false,
            ignores_quotes: false,
            keeps_unset: false,
        }
    }

    /// One text. The names are told although there is an error: there are findings about them.
    pub(crate) fn text(&self, text: &str, get: Lookup<'_>) -> (Expanded, Result<(), String>) {
        let mut lexer = Lexer::new(self, text, get);
        let result = lexer.run(None, self.keeps_escapes);
        let (set, unset) = (lexer.set, lexer.unset);
        match result {
            Ok((text, _)) => (Expanded { text, set, unset }, Ok(())),
            Err(why) => (
                Expanded { text: String::new(), set, unset },
                Err(format!("failed to process {text:?}: {why}")),
            ),
        }
    }

    /// The words that a text becomes: split after the replacement, outside of quotes.
    pub(crate) fn words(&self, text: &str, get: Lookup<'_>) -> Result<Vec<String>, String> {
        let mut lexer = Lexer::new(self, text, get);
        let result = lexer.run(None, self.keeps_escapes);
        result.map(|(_, words)| words).map_err(|why| format!("failed to process {text:?}: {why}"))
    }
}

#[cfg(test)]
mod tests;
