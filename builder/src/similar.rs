//! The known word that somebody may have meant, as BuildKit suggests it.

/// Letters of a word that are compared: a longer one is nobody's slip, and measuring takes time.
const COMPARED_MAX: usize = 256;

/// The first of those `known` that are fewest letters away, if it is at most two. None if `word` is known.
pub(crate) fn similar<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let mut best: Option<(usize, &str)> = None;
    for other in known {
        if other == word {
            return None;
        }
        let away = distance(word, other);
        if away < best.map_or(3, |(least, _)| least) {
            best = Some((away, other));
        }
    }
    best.map(|(_, other)| other)
}

/// As [`similar`], for words whose case does not matter: the answer is written as the question is.
pub(crate) fn similar_in_any_case(word: &str, known: &[&str]) -> Option<String> {
    let lower = word.to_lowercase();
    let known: Vec<String> = known.iter().map(|other| other.to_lowercase()).collect();
    let found = similar(&lower, known.iter().map(String::as_str))?;
    if word == word.to_uppercase() && word != lower {
        return Some(found.to_uppercase());
    }
    Some(found.to_owned())
}

/// A message with the word that may have been meant.
pub(crate) fn did_you_mean(message: String, word: Option<&str>) -> String {
    match word {
        Some(word) => format!("{message} (did you mean {word}?)"),
        None => message,
    }
}

/// Letters to put in, take out or replace.
fn distance(from: &str, to: &str) -> usize {
    let from: Vec<char> = from.chars().take(COMPARED_MAX).collect();
    let to: Vec<char> = to.chars().take(COMPARED_MAX).collect();
    if from.len().abs_diff(to.len()) > 2 {
        return 3;
    }
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, letter) in from.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, other) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != other);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::{similar, similar_in_any_case};

    #[test]
    fn a_slip_is_told_from_another_word() {
        let known = ["RUN", "CMD", "COPY"];
        assert_eq!(similar_in_any_case("RUNN", &known).as_deref(), Some("RUN"));
        assert_eq!(similar_in_any_case("vm", &known).as_deref(), Some("cmd"));
        assert_eq!(similar_in_any_case("BOGUS", &known), None);
        assert_eq!(similar("chowm", ["chmod", "chown"]), Some("chown"));
        assert_eq!(similar("X", ["PATH", "B", "C"]), Some("B"), "the first of those as near");
        assert_eq!(similar("B", ["A", "B"]), None, "a word that is known");
    }
}
