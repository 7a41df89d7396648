//! `<<WORD`: text that stands in the lines below an instruction.

use crate::expand::{Expander, NOTHING};

/// A heredoc with its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heredoc {
    pub name: String,
    /// Variables in it are replaced; not when a part of the word was quoted.
    pub expands: bool,
    /// `<<-`: tabs in front of lines go.
    pub strips_tabs: bool,
    pub content: String,
}

/// The heredocs that a line begins, without their bodies.
pub(super) fn of_line(line: &str) -> Result<Vec<Heredoc>, String> {
    let expander = Expander {
        keeps_quotes: true,
        keeps_escapes: true,
        keeps_unset: true,
        ..Expander::new('\\')
    };
    // What cannot be split has none.
    let words = expander.words(line, NOTHING).unwrap_or_default();
    let mut found = Vec::new();
    for word in words {
        found.extend(heredoc(&word)?);
    }
    Ok(found)
}

/// Reads a word such as `<<EOF`, `3<<-"EOF"`. Any other is none.
pub(crate) fn heredoc(word: &str) -> Result<Option<Heredoc>, String> {
    let rest = word.trim_start_matches(|c: char| c.is_ascii_digit());
    let Some(rest) = rest.strip_prefix("<<") else { return Ok(None) };
    let (strips_tabs, rest) = match rest.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let rest = rest.trim_start();
    if rest.is_empty() || rest.contains('<') {
        return Ok(None);
    }
    let bare = Expander { keeps_unset: true, ..Expander::new('\\') };
    let words = bare.words(rest, NOTHING)?;
    let [name] = &words[..] else { return Ok(None) };
    let raw = Expander { keeps_quotes: true, ..bare }.words(rest, NOTHING)?;
    let quotes = |text: &str| text.matches(['\'', '"']).count();
    let expands = raw.first().is_some_and(|raw| quotes(raw) == quotes(name));
    Ok(Some(Heredoc { name: name.clone(), expands, strips_tabs, content: String::new() }))
}

/// A body without the tabs in front of its lines.
pub(crate) fn without_tabs(content: &str) -> String {
    content.split_inclusive('\n').map(|line| line.trim_start_matches('\t')).collect()
}

#[cfg(test)]
mod tests {
    use super::{heredoc, of_line, without_tabs};

    #[test]
    fn words_that_begin_one() {
        let read = |word: &str| {
            heredoc(word).unwrap().map(|found| (found.name, found.expands, found.strips_tabs))
        };
        assert_eq!(read("<<EOF"), Some(("EOF".into(), true, false)));
        assert_eq!(read("3<<-'E F'"), Some(("E F".into(), false, true)));
        assert_eq!(read("<<E F"), None, "two words");
        assert_eq!(read("<<-\"EOF\""), Some(("EOF".into(), false, true)));
        assert_eq!(read("<< EOF"), Some(("EOF".into(), true, false)));
        for none in ["<EOF", "<<<EOF", "a<<EOF", "<<", "EOF"] {
            assert_eq!(read(none), None, "{none}");
        }
    }

    #[test]
    fn several_in_a_line() {
        let names =
            |line: &str| of_line(line).unwrap().into_iter().map(|h| h.name).collect::<Vec<_>>();
        assert_eq!(names("RUN cat <<A <<'B' > x && echo '<<C'"), ["A", "B"]);
        assert_eq!(names("RUN echo 'open <<A"), Vec::<String>::new());
        assert_eq!(without_tabs("\t\ta\n\tb\n c\t"), "a\nb\n c\t");
    }
}
