//! A command line cut into words as Docker's loader of stack files cuts it: quotes, backslashes and comments of a
//! shell, and nothing more; `;`, `|` and `$(` are plain characters.

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Between,
    Word,
    Single,
    Double,
    Comment,
}

/// The words, or nothing when a quote or a backslash is open at the end.
pub(super) fn split(line: &str) -> Option<Vec<String>> {
    let (mut words, mut word) = (Vec::new(), String::new());
    let mut state = State::Between;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        let space = matches!(c, ' ' | '\t' | '\r' | '\n');
        state = match (state, c) {
            (State::Comment, '\n') => State::Between,
            (State::Comment, _) => State::Comment,
            (State::Between, _) if space => State::Between,
            (State::Between, '#') => State::Comment,
            (State::Word, _) if space => {
                words.push(std::mem::take(&mut word));
                State::Between
            }
            (State::Between | State::Word, '\'') => State::Single,
            (State::Between | State::Word, '"') => State::Double,
            (State::Single, '\'') | (State::Double, '"') => State::Word,
            (State::Between | State::Word, '\\') => {
                word.push(chars.next()?);
                State::Word
            }
            (State::Double, '\\') => {
                word.push(chars.next()?);
                State::Double
            }
            (State::Between, _) => {
                word.push(c);
                State::Word
            }
            (state, _) => {
                word.push(c);
                state
            }
        };
    }
    match state {
        State::Single | State::Double => return None,
        State::Word => words.push(word),
        State::Between | State::Comment => {}
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn forms() {
        for (line, words) in [
            ("", vec![]),
            ("a  b\tc", vec!["a", "b", "c"]),
            ("sh -c 'x; y | z' # no", vec!["sh", "-c", "x; y | z"]),
            ("a;b|c $(d) `e`", vec!["a;b|c", "$(d)", "`e`"]),
            ("\"a \\\" b\"c '' d\\ e", vec!["a \" bc", "", "d e"]),
            ("a#b #c\nd", vec!["a#b", "d"]),
        ] {
            assert_eq!(split(line).unwrap(), words, "{line}");
        }
        for line in ["'a", "\"a", "a\\"] {
            assert_eq!(split(line), None, "{line}");
        }
    }
}
