//! Patterns of paths as `.dockerignore` has them.
//!
//! `*` and `?` stop at a slash, `**` does not, `[a-z]` is a class, a backslash takes the next
//! character as it is, a `!` in front takes back what patterns before it matched. A pattern
//! that matches a folder matches all that is in it.
//!
//! # How it works
//!
//! Patterns are made absolute and cut into [tokens](super::tokens).

use std::path::{Component, Path, PathBuf};

use super::tokens::{Token, fits, tokens};

/// A list of patterns; later ones win.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patterns(Vec<Pattern>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Pattern {
    tokens: Vec<Token>,
    takes_back: bool,
}

impl Patterns {
    /// Patterns that begin at `base`, unless they are absolute.
    pub fn new<'a>(base: &Path, patterns: impl IntoIterator<Item = &'a str>) -> Self {
        Self(patterns.into_iter().filter_map(|text| Pattern::new(base, text)).collect())
    }

    /// The patterns of an ignore file that lies in `base`.
    pub fn of_file(base: &Path, text: &str) -> Self {
        let text = text.trim_start_matches('\u{feff}');
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        // There a slash in front stands for the folder of the file.
        let patterns = lines.filter_map(|line| {
            let line = line.trim();
            let (bang, path) = line.strip_prefix('!').map_or(("", line), |rest| ("!", rest.trim()));
            let path = path.trim_start_matches('/');
            Pattern::new(base, &format!("{bang}{path}"))
        });
        Self(patterns.collect())
    }

    /// Whether the last pattern that says something of `path`, or of a folder it is in, is
    /// none that takes back.
    pub fn matches(&self, path: &Path) -> bool {
        let mut matched = false;
        for pattern in &self.0 {
            if pattern.takes_back == matched && pattern.matches_with_folders(path) {
                matched = !pattern.takes_back;
            }
        }
        matched
    }

    /// Whether everything that may come to be in this folder is matched.
    pub fn matches_whole(&self, folder: &Path) -> bool {
        self.matches(folder) && !self.0.iter().any(|pattern| pattern.takes_back)
    }
}

impl Pattern {
    fn new(base: &Path, text: &str) -> Option<Self> {
        let text = text.trim();
        let (takes_back, path) = match text.strip_prefix('!') {
            Some(rest) => (true, rest.trim()),
            None => (false, text),
        };
        if path.is_empty() {
            return None;
        }
        let path = clean(&base.join(path));
        let path = path.to_string_lossy();
        // A pattern that is malformed is taken as it is written.
        let tokens = tokens(&path).unwrap_or_else(|| path.chars().map(Token::Exactly).collect());
        Some(Self { tokens, takes_back })
    }

    fn matches_with_folders(&self, path: &Path) -> bool {
        path.ancestors().any(|one| one != Path::new("/") && self.matches(&one.to_string_lossy()))
    }

    fn matches(&self, text: &str) -> bool {
        fits(&self.tokens, text)
    }
}

/// Without `.`, `..` and doubled slashes; nothing is looked up.
pub fn clean(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(patterns: &[&str], path: &str) -> bool {
        Patterns::new(Path::new("/base"), patterns.iter().copied()).matches(Path::new(path))
    }

    #[test]
    fn one_pattern() {
        for (pattern, path, wanted) in [
            ("a.txt", "/base/a.txt", true),
            ("a.txt", "/base/b/a.txt", false),
            ("*.txt", "/base/a.txt", true),
            ("*.txt", "/base/b/a.txt", false),
            ("**/*.txt", "/base/a.txt", true),
            ("**/*.txt", "/base/b/c/a.txt", true),
            ("**/a", "/base/ba", false),
            ("**/a", "/base/b/a", true),
            ("b/**/c", "/base/b/c", true),
            ("b/**/c", "/base/b/x/y/c", true),
            ("b/**/c", "/base/b/xc", false),
            ("b/**", "/base/b/c/d", true),
            ("**", "/base/x", true),
            ("?.rs", "/base/a.rs", true),
            ("?.rs", "/base/ab.rs", false),
            ("[a-c]x", "/base/bx", true),
            ("[^a-c]x", "/base/bx", false),
            ("[^a-c]x", "/base/dx", true),
            ("\\*", "/base/*", true),
            ("\\*", "/base/a", false),
            ("b", "/base/b/c", true),
            ("b/", "/base/b/c", true),
            ("./b/../c", "/base/c/d", true),
            ("/abs/*", "/abs/x", true),
            ("[", "/base/[", true),
            ("", "/base", false),
        ] {
            assert_eq!(matches(&[pattern], path), wanted, "{pattern} {path}");
        }
    }

    #[test]
    fn later_patterns_win() {
        let patterns = ["*", "!src", "src/*.tmp"];
        assert!(matches(&patterns, "/base/node_modules/x.js"));
        assert!(!matches(&patterns, "/base/src/a.js"));
        assert!(matches(&patterns, "/base/src/a.tmp"));
        assert!(matches(&["a", "!a", "a"], "/base/a"));
    }

    #[test]
    fn an_ignore_file() {
        let text = "\u{feff}# a comment\n\n  node_modules \n/build\n! build/keep\n**/*.log\n";
        let patterns = Patterns::of_file(Path::new("/ctx"), text);
        for (path, wanted) in [
            ("/ctx/node_modules/a/b", true),
            ("/ctx/x/node_modules", false),
            ("/ctx/build/a", true),
            ("/ctx/build/keep/a", false),
            ("/ctx/a/b.log", true),
            ("/ctx/a/b.txt", false),
        ] {
            assert_eq!(patterns.matches(Path::new(path)), wanted, "{path}");
        }
        assert!(!patterns.matches_whole(Path::new("/ctx/node_modules")));
        assert!(Patterns::new(Path::new("/ctx"), ["a"]).matches_whole(Path::new("/ctx/a")));
    }

    #[test]
    fn a_long_pattern_takes_no_long_time() {
        let pattern = "*a".repeat(200);
        let path = format!("/base/{}", "a".repeat(2000));
        assert!(!matches(&[&format!("{pattern}b")], &path));
    }
}
