//! Patterns of `.dockerignore`, `--exclude` and `COPY --parents`, asked about one path after the other of a walk.
//!
//! # How it works
//!
//! As `moby/patternmatcher` has it, whose words also count where its documentation says otherwise: a pattern that fits
//! a folder fits what is in it, and whether it fits the folder is taken from the answer about the folder. A pattern that
//! could not have changed the answer there was not asked, and then counts as one that does not fit.
//!
//! `*` and `?` stop at a slash; `**` stands for any number of whole folders in the middle, and for whatever follows at
//! the end; a pattern that is `**` and then nothing special fits every path that ends so.

#[cfg(test)]
mod tests;

use super::tokens::{Token, fits, tokens};

/// A list of patterns; the last one that fits decides.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    patterns: Vec<Pattern>,
    takes_back: bool,
}

/// Which patterns fit a folder; empty for the root.
pub type Fits = Vec<bool>;

#[derive(Debug, Clone)]
struct Pattern {
    takes_back: bool,
    /// Cleaned, without `!`.
    text: String,
    shape: Shape,
}

#[derive(Debug, Clone)]
enum Shape {
    Exactly,
    /// What is before `**` at the end.
    Begin(usize),
    /// What is behind `**` at the begin.
    End,
    /// `prefix`: bytes at the begin in which nothing is special.
    Tokens {
        prefix: usize,
        tokens: Vec<Token>,
    },
}

impl Filter {
    /// # Errors
    /// The pattern that is malformed.
    pub fn new<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let mut out = Self::default();
        for text in patterns {
            let text = clean(text.trim());
            let (takes_back, text) = match text.strip_prefix('!') {
                Some("") => return Err("!".to_owned()),
                Some(rest) => (true, rest.to_owned()),
                None => (false, text),
            };
            if text.is_empty() {
                continue;
            }
            let shape = Shape::of(&text).ok_or_else(|| text.clone())?;
            out.takes_back |= takes_back;
            out.patterns.push(Pattern { takes_back, text, shape });
        }
        Ok(out)
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Whether a pattern takes something back.
    #[must_use]
    pub fn takes_back(&self) -> bool {
        self.takes_back
    }

    /// Whether they match `path`; `parent` is what `fits` was for the folder it is in.
    pub fn matches(&self, path: &str, parent: &[bool], fits: &mut Fits) -> bool {
        fits.clear();
        let mut matched = false;
        for (index, pattern) in self.patterns.iter().enumerate() {
            let mut fit = parent.get(index).copied().unwrap_or_default();
            if !fit && pattern.takes_back == matched {
                fit = pattern.fits(path);
            }
            fits.push(fit);
            if fit {
                matched = !pattern.takes_back;
            }
        }
        matched
    }

    /// The same for a path of which no folder was asked about.
    pub fn matches_alone(&self, path: &str, fits: &mut Fits) -> bool {
        let mut parent = Fits::new();
        let mut matched = false;
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        for end in ends {
            matched = self.matches(&path[..end], &parent, fits);
            std::mem::swap(&mut parent, fits);
        }
        std::mem::swap(&mut parent, fits);
        matched
    }

    /// Whether something below this folder, which they match, might be taken back.
    #[must_use]
    pub fn may_take_back_in(&self, folder: &str) -> bool {
        self.patterns.iter().any(|one| one.takes_back && one.may_fit_in(folder))
    }

    /// Whether something below this folder, which they do not match, might match.
    #[must_use]
    pub fn may_match_in(&self, folder: &str) -> bool {
        self.patterns.iter().any(|one| !one.takes_back && one.may_fit_in(folder))
    }
}

impl Pattern {
    fn fits(&self, path: &str) -> bool {
        match &self.shape {
            Shape::Exactly => path == self.text,
            Shape::Begin(end) => path.starts_with(&self.text[..*end]),
            Shape::End => {
                let end = &self.text[2..];
                path.ends_with(end) || end.strip_prefix('/').is_some_and(|end| path == end)
            }
            Shape::Tokens { prefix, tokens } => {
                path.starts_with(&self.text[..*prefix]) && fits(tokens, path)
            }
        }
    }

    fn may_fit_in(&self, folder: &str) -> bool {
        let literal = match &self.shape {
            Shape::Exactly => &self.text[..],
            Shape::Begin(end) => &self.text[..*end],
            Shape::End => "",
            Shape::Tokens { prefix, .. } => &self.text[..*prefix],
        };
        let begins = |long: &str, short: &str| {
            long.strip_prefix(short).is_some_and(|rest| rest.starts_with('/'))
        };
        match self.shape {
            Shape::Exactly => begins(literal, folder),
            // What is special may be anything, slashes too.
            _ => {
                literal.len() <= folder.len() && folder.starts_with(literal)
                    || begins(literal, folder)
                    || literal.strip_suffix('/') == Some(folder)
            }
        }
    }
}

impl Shape {
    fn of(text: &str) -> Option<Self> {
        let special = |c: char| matches!(c, '*' | '?' | '\\' | '[' | ']');
        let Some(prefix) = text.find(special) else { return Some(Self::Exactly) };
        let (begin, rest) = text.split_at(prefix);
        if let Some(rest) = rest.strip_prefix("**") {
            if begin.is_empty() && !rest.contains(special) {
                return Some(Self::End);
            }
            if rest.is_empty() {
                return Some(Self::Begin(begin.len()));
            }
        }
        let tokens = tokens(text)?;
        // What `**` stands for may be nothing, with its slash.
        Some(Self::Tokens { prefix, tokens })
    }
}

/// As Go's `filepath.Clean`; the empty text stays empty.
pub(super) fn clean(path: &str) -> String {
    if path.is_empty() {
        return String::new();
    }
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => match parts.last() {
                Some(last) if *last != ".." => drop(parts.pop()),
                _ if rooted => {}
                _ => parts.push(".."),
            },
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}
