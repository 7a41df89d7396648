//! One pattern in pieces, and whether it fits a text.
//!
//! A match keeps the set of positions in the pattern that the text so far can have led to. So no pattern takes more than
//! its length times that of the text.

use crate::class::Class;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Exactly(char),
    /// `?`
    One,
    /// `*`
    Any,
    /// `**` at the end.
    Rest,
    /// `**` or `**/` elsewhere: any number of whole folders.
    Folders,
    /// `[…]`, which also fits a slash.
    Class(Class),
}

/// None: the pattern is malformed.
pub(super) fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut out = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        out.push(match c {
            '*' if chars.next_if_eq(&'*').is_some() => {
                chars.next_if_eq(&'/');
                if chars.peek().is_none() { Token::Rest } else { Token::Folders }
            }
            '*' => Token::Any,
            '?' => Token::One,
            '\\' => escaped(chars.next()?)?,
            '[' => Token::Class(Class::read(&mut chars)?),
            c => Token::Exactly(c),
        });
    }
    Some(out)
}

/// What a character stands for behind a backslash: a pattern is a regular expression of Go's in the end, so that letters
/// are not themselves there. None: it knows no such letter.
fn escaped(c: char) -> Option<Token> {
    let class = |text: &str| Class::read(&mut text.chars().peekable()).map(Token::Class);
    match c {
        'd' => class("0-9]"),
        'D' => class("^0-9]"),
        'w' => class("0-9A-Za-z_]"),
        'W' => class("^0-9A-Za-z_]"),
        's' => class("\t\n\x0c\r ]"),
        'S' => class("^\t\n\x0c\r ]"),
        't' => Some(Token::Exactly('\t')),
        'n' => Some(Token::Exactly('\n')),
        'r' => Some(Token::Exactly('\r')),
        'f' => Some(Token::Exactly('\x0c')),
        'v' => Some(Token::Exactly('\x0b')),
        'a' => Some(Token::Exactly('\x07')),
        // Edges of words and of texts: nothing has one in the middle of a name.
        'b' | 'B' | 'A' | 'z' => Some(Token::Exactly('\0')),
        c if c.is_ascii_alphanumeric() => None,
        c => Some(Token::Exactly(c)),
    }
}

/// Words of a set that needs no memory of its own.
const SMALL: usize = 4;

pub(super) fn fits(tokens: &[Token], text: &str) -> bool {
    let words = tokens.len() / 64 + 1;
    if words <= SMALL {
        return run(tokens, text, &mut [0; SMALL], &mut [0; SMALL]);
    }
    run(tokens, text, &mut vec![0; words], &mut vec![0; words])
}

fn run(tokens: &[Token], text: &str, at: &mut [u64], next: &mut [u64]) -> bool {
    reach(tokens, at, 0);
    for letter in text.chars() {
        next.fill(0);
        for (word, bits) in at.iter().enumerate() {
            let mut bits = *bits;
            while bits != 0 {
                let position = word * 64 + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                let Some(token) = tokens.get(position) else { continue };
                let (stays, goes_on) = token.takes(letter);
                if stays {
                    set(next, position);
                }
                if goes_on {
                    reach(tokens, next, position + 1);
                }
            }
        }
        at.copy_from_slice(next);
    }
    at[tokens.len() / 64] & (1 << (tokens.len() % 64)) != 0
}

fn set(bits: &mut [u64], position: usize) {
    bits[position / 64] |= 1 << (position % 64);
}

/// Comes to a position, and to those behind it that may fit nothing.
fn reach(tokens: &[Token], bits: &mut [u64], mut position: usize) {
    loop {
        set(bits, position);
        match tokens.get(position) {
            Some(Token::Any | Token::Rest | Token::Folders) => position += 1,
            _ => return,
        }
    }
}

impl Token {
    /// Whether a character leaves us at this token, and whether it leads to the next.
    fn takes(&self, letter: char) -> (bool, bool) {
        let slash = letter == '/';
        match self {
            Self::Rest => (true, true),
            Self::Any => (!slash, !slash),
            // Whole folders: only a slash leads on, so that `**/a` does not match in `ba`.
            Self::Folders => (true, slash),
            Self::One => (false, !slash),
            Self::Exactly(wanted) => (false, letter == *wanted),
            Self::Class(class) => (false, class.has(letter)),
        }
    }
}
