//! What may stand at the place of a word: what the scripts of the shells ask for with `__complete WORDS…`.
//!
//! # How it works
//!
//! ```text
//! words ─> typed (which word is wanted: a command, a flag, a flag's value, an argument)
//!       ─> kinds (of what kind that is, a table) ─> names (which there are) ─> lines
//! ```
//!
//! The answer is that of the library which Docker's client and many others use: a line for each candidate, with a tab
//! and a description, and a last line `:N` that says what the shell does with them ([`Directive`]). So Docker's own
//! scripts work with this program, and ours with Docker's client.
//!
//! # Limits
//!
//! What cannot be read has no candidates: a key that is pressed in the middle of a line gives no errors.

mod kinds;
mod names;
mod paths;
mod scripts;
mod typed;

use std::fmt::Write as _;

use coracle_words::template::visible;

use crate::app::App;
use kinds::Kind;
use typed::{Typed, Wanted};

pub(crate) use scripts::{NAMES, Shell, script};

/// What the shell does with candidates: a sum of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Directive(u8);

impl Directive {
    /// Files, when there are no candidates.
    const FILES: Self = Self(0);
    const NO_FILES: Self = Self(4);
    /// Only folders.
    const FOLDERS: Self = Self(16);

    /// No blank after the candidate: it goes on.
    fn without_blank(self) -> Self {
        Self(self.0 | 2)
    }
}

/// A word, and what it says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Candidate {
    word: String,
    about: String,
}

impl Candidate {
    fn new(word: impl Into<String>, about: impl Into<String>) -> Self {
        Self { word: word.into(), about: about.into() }
    }
}

/// The answer for the words after the program's name; the last one, which may be empty, is being typed.
pub(crate) fn answer(app: &mut App, words: &[String]) -> String {
    let typed = typed::read(app.table, words);
    let (mut candidates, directive) = candidates(app, &typed);
    candidates.retain(|one| one.word.starts_with(&typed.prefix));
    candidates.sort();
    candidates.dedup_by(|one, other| one.word == other.word);
    let goes_on = |one: &Candidate| one.word.ends_with([':', '=', '/', '-']);
    let directive = match candidates.iter().any(goes_on) {
        true => directive.without_blank(),
        false => directive,
    };
    let mut out = String::new();
    for Candidate { word, about } in candidates {
        let about = visible(about.lines().next().unwrap_or_default());
        let tab = if about.is_empty() { "" } else { "\t" };
        // Writing to a string does not fail.
        writeln!(out, "{}{tab}{about}", visible(&word)).unwrap_or_default();
    }
    writeln!(out, ":{}", directive.0).unwrap_or_default();
    out
}

fn candidates(app: &mut App, typed: &Typed) -> (Vec<Candidate>, Directive) {
    match &typed.wanted {
        Wanted::Nothing => (Vec::new(), Directive::NO_FILES),
        Wanted::Words(words) => (words.clone(), Directive::NO_FILES),
        Wanted::Value { command, flag } => of_kind(app, typed, kinds::of_flag(command, flag)),
        Wanted::Argument { command, given } => {
            let kind = kinds::of_argument(command, given.len(), typed);
            let (mut found, directive) = of_kind(app, typed, kind);
            found.retain(|one| !given.contains(&one.word));
            (found, directive)
        }
    }
}

fn of_kind(app: &mut App, typed: &Typed, kind: Kind) -> (Vec<Candidate>, Directive) {
    let found = match kind {
        Kind::Files => return (Vec::new(), Directive::FILES),
        Kind::Folders => return (Vec::new(), Directive::FOLDERS),
        Kind::Copy { of_service } => paths::of_copy(app, typed, of_service),
        Kind::Fixed(words) => {
            words.iter().map(|(word, about)| Candidate::new(*word, *about)).collect()
        }
        Kind::Nothing => Vec::new(),
        kind => names::of(app, typed, kind),
    };
    (found, Directive::NO_FILES)
}

#[cfg(test)]
mod tests;
