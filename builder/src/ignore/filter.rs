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

#[cfg(test)]
mod tests {
    use super::{Filter, Fits, clean};

    fn matches(patterns: &[&str], path: &str) -> bool {
        let filter = Filter::new(patterns.iter().copied()).unwrap();
        filter.matches_alone(path, &mut Fits::new())
    }

    #[test]
    fn one_pattern() {
        for (pattern, path, wanted) in [
            ("**", "file", true),
            ("**", "dir/file", true),
            ("**/", "file", true),
            ("**/**", "dir/file", true),
            ("dir/**", "dir/file", true),
            ("dir/**", "dir", false),
            ("dir/**", "dir/dir2/file", true),
            ("**/dir", "dir", true),
            ("**/dir2/*", "dir/dir2/file", true),
            ("**file", "file", true),
            ("**file", "dir/file", true),
            ("**file", "dir/afile", true),
            ("**/file", "dir/afile", false),
            ("**/file*", "dir/file", true),
            ("**/file*txt", "dir/dir/file.txt", true),
            ("**/**/*.txt", "dir/dir/file.txt", true),
            ("**/**/*.txt2", "dir/dir/file.txt", false),
            ("**/*.txt", "file.txt", true),
            ("**/**/*.txt", "file.txt", true),
            ("a**/*.txt", "a/file.txt", true),
            ("a**/*.txt", "a/dir/file.txt", true),
            ("a/*.txt", "a/dir/file.txt", false),
            ("a/*.txt**", "a/file.txt", true),
            ("a[b-d]e", "ae", false),
            ("a[b-d]e", "ace", true),
            ("a[^b-d]e", "aze", true),
            ("[!a]x", "bx", false),
            (".*", ".foo", true),
            (".*", "foo", false),
            ("abc.def", "abcdef", false),
            ("abc?def", "abcZdef", true),
            ("a\\\\", "a\\", true),
            ("a\\b", "ab", true),
            ("**/foo/bar", "dir/foo/bar", true),
            ("abc/**", "abc/def/ghi", true),
            ("**/.foo", ".foo", true),
            ("**/.foo", "bar.foo", false),
            ("a(b)c/def", "a(b)c/def", true),
            ("dir", "dir/file", true),
            ("./dir/", "dir/file", true),
            ("/dir", "dir", false),
        ] {
            assert_eq!(matches(&[pattern], path), wanted, "{pattern} {path}");
        }
    }

    #[test]
    fn later_patterns_win() {
        let patterns = ["*", "!src", "src/*.tmp"];
        for (path, wanted) in [("a/x.js", true), ("src/a.js", false), ("src/a.tmp", true)] {
            assert_eq!(matches(&patterns, path), wanted, "{path}");
        }
        // What takes nothing back at the folder is not asked again in it.
        assert!(matches(&["d/x", "!d"], "d/x"));
    }

    #[test]
    fn folders_worth_a_look() {
        let back = |patterns: &[&str], folder| {
            Filter::new(patterns.iter().copied()).unwrap().may_take_back_in(folder)
        };
        assert!(!back(&["node_modules", "!src/x"], "node_modules"));
        assert!(back(&["d", "!d/e/z"], "d"));
        assert!(back(&["d", "!d/e/z"], "d/e"));
        assert!(!back(&["d", "!d/e/z"], "d/f"));
        assert!(back(&["*", "!**/z"], "node_modules"));
        assert!(back(&["*", "!d/*/z"], "d"));
        assert!(back(&["*", "!d/*/z"], "d/x"));
        assert!(!back(&["*", "!d/*/z"], "e"));
        assert!(back(&["*", "!d/**"], "d"));
    }

    #[test]
    fn refused() {
        for pattern in ["[", "a[", "!"] {
            assert!(Filter::new([pattern]).is_err(), "{pattern}");
        }
    }

    #[test]
    fn paths_are_cleaned() {
        for (path, wanted) in
            [("a//b/./c/..", "a/b"), ("../a", "../a"), ("/../a", "/a"), ("./", "."), ("", "")]
        {
            assert_eq!(clean(path), wanted, "{path}");
        }
    }

    #[test]
    fn a_long_pattern_takes_no_long_time() {
        let pattern = format!("{}b", "*a".repeat(2000));
        assert!(!matches(&[&pattern], &"a".repeat(4000)));
    }
}
