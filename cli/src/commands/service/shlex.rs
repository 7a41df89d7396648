//! Words of `--args` and `--entrypoint`, split as Docker's client splits them: blanks, quotes, backslashes and comments
//! mean something, nothing else does.

/// The words.
///
/// # Errors
/// When a quote is not closed.
pub(super) fn split(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match letter {
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            '#' if word.is_none() => {
                letters.by_ref().find(|letter| *letter == '\n');
            }
            '\\' => {
                let next = letters.next().ok_or("EOF found after escape character")?;
                word.get_or_insert_default().push(next);
            }
            '\'' | '"' => quoted(&mut letters, letter, word.get_or_insert_default())?,
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    Ok(words)
}

fn quoted(
    letters: &mut impl Iterator<Item = char>,
    quote: char,
    word: &mut String,
) -> Result<(), String> {
    loop {
        match letters.next().ok_or("EOF found when expecting closing quote")? {
            letter if letter == quote => return Ok(()),
            '\\' if quote == '"' => {
                word.push(letters.next().ok_or("EOF found when expecting closing quote")?);
            }
            letter => word.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn only_blanks_and_quotes_mean_something() {
        assert_eq!(split("sleep 5000").unwrap(), ["sleep", "5000"]);
        assert_eq!(
            split("sh -c 'echo a; echo \"b\"'").unwrap(),
            ["sh", "-c", "echo a; echo \"b\""]
        );
        assert_eq!(split("echo a;b|c \\ d").unwrap(), ["echo", "a;b|c", " d"]);
        assert_eq!(split("a \"\" # b").unwrap(), ["a", ""]);
        assert!(split("").unwrap().is_empty());
        assert!(split("a 'b").is_err());
    }
}
