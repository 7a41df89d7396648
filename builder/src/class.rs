//! A class of characters, `[a-z]` or `[^a-z]`, as Go's `path/filepath.Match` has it: in sources of `COPY` and in
//! `.dockerignore`.

use std::iter::Peekable;
use std::str::Chars;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Class {
    ranges: Vec<(char, char)>,
    negated: bool,
}

impl Class {
    /// What follows the opening bracket. None: it is malformed.
    pub(crate) fn read(chars: &mut Peekable<Chars<'_>>) -> Option<Self> {
        let negated = chars.next_if_eq(&'^').is_some();
        let mut ranges = Vec::new();
        while ranges.is_empty() || chars.next_if_eq(&']').is_none() {
            let low = letter(chars)?;
            let high = match chars.next_if_eq(&'-') {
                Some(_) => letter(chars)?,
                None => low,
            };
            ranges.push((low, high));
        }
        Some(Self { ranges, negated })
    }

    pub(crate) fn has(&self, c: char) -> bool {
        self.ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != self.negated
    }
}

fn letter(chars: &mut Peekable<Chars<'_>>) -> Option<char> {
    match chars.next()? {
        '-' | ']' => None,
        '\\' => chars.next(),
        c => Some(c),
    }
}
