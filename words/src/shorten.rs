//! Messages of a bearable length: what is absurdly long in them is cut.
//!
//! Every word of the user's may be repeated in a message, and may have any length. Messages
//! cross pipes and frames of limited size and end on a terminal.

use std::borrow::Cow;

/// Words up to this length are repeated whole: paths may be long.
const WORD_CHARS_MAX: usize = 512;
/// What is left of a longer one, which nobody wants to read to its end.
const WORD_CHARS_SHOWN: usize = 256;

/// A message without the rest of absurdly long words.
#[must_use]
pub fn shorten(text: &str) -> Cow<'_, str> {
    if text.len() <= WORD_CHARS_MAX {
        return text.into();
    }
    let mut out = String::new();
    for word in text.split_inclusive(char::is_whitespace) {
        if word.chars().nth(WORD_CHARS_MAX).is_none() {
            out.push_str(word);
            continue;
        }
        out.extend(word.chars().take(WORD_CHARS_SHOWN));
        out.push('…');
        out.extend(word.chars().last().filter(|last| last.is_whitespace()));
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::shorten;

    #[test]
    fn absurd_words_are_cut_between_characters() {
        let word = "ä".repeat(600);
        let cut = format!("{}…", "ä".repeat(256));
        assert_eq!(
            shorten(&format!("no such thing: {word}\nnext {word}")),
            format!("no such thing: {cut}\nnext {cut}")
        );
        let path = "p".repeat(512);
        assert_eq!(shorten(&path), path);
    }
}
