//! Wildcards of sources, as Go's `path/filepath.Match` reads them, one part of a path at a time.
//!
//! `*` and `?` stop at a slash, `[a-z]` and `[^a-z]` are classes, a backslash takes the next character as it is.

use crate::class::Class;

/// Whether a path has wildcards at all: a backslash hides the character after it.
pub(super) fn has_wildcards(path: &str) -> bool {
    let mut chars = path.chars();
    while let Some(c) = chars.next() {
        match c {
            '*' | '?' | '[' => return true,
            '\\' => drop(chars.next()),
            _ => {}
        }
    }
    false
}

/// The pattern is malformed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Exactly(char),
    One,
    Any,
    Class(Class),
}

/// One part of a pattern, between slashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Glob(Vec<Token>);

impl Glob {
    pub(super) fn parse(text: &str) -> Result<Self, Malformed> {
        let mut tokens = Vec::new();
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            tokens.push(match c {
                '*' => Token::Any,
                '?' => Token::One,
                '\\' => Token::Exactly(chars.next().ok_or(Malformed)?),
                '[' => Token::Class(Class::read(&mut chars).ok_or(Malformed)?),
                c => Token::Exactly(c),
            });
        }
        Ok(Self(tokens))
    }

    /// In time of the product of both lengths at most: only the last `*` is ever tried again.
    pub(super) fn matches(&self, name: &str) -> bool {
        let letters: Vec<char> = name.chars().collect();
        let (mut token, mut letter) = (0, 0);
        let mut retry: Option<(usize, usize)> = None;
        loop {
            let fits = match self.0.get(token) {
                Some(Token::Any) => {
                    retry = Some((token, letter));
                    token += 1;
                    continue;
                }
                None if letter == letters.len() => return true,
                None => false,
                Some(one) => letters.get(letter).is_some_and(|c| one.fits(*c)),
            };
            if fits {
                token += 1;
                letter += 1;
                continue;
            }
            match retry {
                Some((star, from)) if from < letters.len() => {
                    retry = Some((star, from + 1));
                    token = star + 1;
                    letter = from + 1;
                }
                _ => return false,
            }
        }
    }
}

impl Token {
    fn fits(&self, c: char) -> bool {
        match self {
            Self::Exactly(wanted) => c == *wanted,
            Self::One => true,
            Self::Class(class) => class.has(c),
            Self::Any => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Glob, has_wildcards};

    #[test]
    fn as_go_does() {
        for (pattern, name, wanted) in [
            ("abc", "abc", true),
            ("*", "abc", true),
            ("*c", "abc", true),
            ("a*", "ab", true),
            ("a*b*c*d*e*", "axbxcxdxe", true),
            ("a*b?c*x", "abxbbxdbxebxczzx", true),
            ("a*b?c*x", "abxbbxdbxebxczzy", false),
            ("ab[c]", "abc", true),
            ("ab[b-d]", "abc", true),
            ("ab[e-g]", "abc", false),
            ("ab[^c]", "abc", false),
            ("ab[^e-g]", "abc", true),
            ("[!a]", "!", true),
            ("[!a]", "b", false),
            ("a\\*b", "a*b", true),
            ("a\\*b", "ab", false),
            ("a?b", "a☺b", true),
            ("a[^a]b", "a☺b", true),
            ("[a-ζ]*", "α", true),
            ("*[a-ζ]", "A", false),
            ("[\\]a]", "]", true),
            ("*x", "xxx", true),
            ("**", "a", true),
            ("", "", true),
        ] {
            assert_eq!(Glob::parse(pattern).unwrap().matches(name), wanted, "{pattern} {name}");
        }
        for pattern in ["[]a]", "[-]", "[x-]", "[-x]", "a[", "[", "[^", "[^bc", "a\\"] {
            assert!(Glob::parse(pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn wildcards() {
        for (path, wanted) in [("a/b", false), ("a/*", true), ("a\\*", false), ("[", true)] {
            assert_eq!(has_wildcards(path), wanted, "{path}");
        }
    }

    #[test]
    fn a_long_pattern_takes_no_long_time() {
        let glob = Glob::parse(&format!("{}b", "*a".repeat(100))).unwrap();
        assert!(!glob.matches(&"a".repeat(255)));
    }
}
