//! Words of a Dockerfile line: quoting, escapes, and `$VARIABLE`.

/// What to do with the words.
#[derive(Clone, Copy)]
pub enum Words<'a> {
    /// Split only: quotes, escapes and variables stay for [`expand`].
    Raw,
    /// Remove quotes and escapes and replace variables of this `KEY=VALUE` list.
    Expanded(&'a [String]),
}

type Result<T> = std::result::Result<T, &'static str>;

/// Splits a line at blanks outside quotes.
pub fn split_words(text: &str, words: Words<'_>) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut word = String::new();
    let (mut quote, mut inside) = (None, false);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, quote) {
            ('\\', None | Some('"')) => {
                word.push(c);
                word.extend(chars.next());
                inside = true;
            }
            ('"' | '\'', None) => {
                quote = Some(c);
                word.push(c);
                inside = true;
            }
            (c, Some(open)) => {
                if c == open {
                    quote = None;
                }
                word.push(c);
            }
            (c, None) if c.is_whitespace() => {
                if inside {
                    found.push(std::mem::take(&mut word));
                }
                inside = false;
            }
            (c, None) => {
                word.push(c);
                inside = true;
            }
        }
    }
    if quote.is_some() {
        return Err("a quote is not closed");
    }
    if inside {
        found.push(word);
    }
    match words {
        Words::Raw => Ok(found),
        Words::Expanded(env) => found.iter().map(|word| expand(word, env)).collect(),
    }
}

/// Removes quotes and escapes and replaces variables.
pub fn expand(text: &str, env: &[String]) -> Result<String> {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    let mut quote = None;
    while let Some(c) = chars.next() {
        match (c, quote) {
            ('\'', Some('\'')) | ('"', Some('"')) => quote = None,
            (c, Some('\'')) => out.push(c),
            ('\'' | '"', None) => quote = Some(c),
            ('\\', quote) => match chars.next() {
                // Within double quotes a backslash escapes only what means something there.
                Some(next) if quote == Some('"') && !matches!(next, '"' | '\\' | '$') => {
                    out.push('\\');
                    out.push(next);
                }
                Some(next) => out.push(next),
                None => out.push('\\'),
            },
            ('$', _) => variable(&mut chars, env, &mut out)?,
            (c, _) => out.push(c),
        }
    }
    if quote.is_some() { Err("a quote is not closed") } else { Ok(out) }
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// Reads what follows a `$`.
fn variable(chars: &mut Chars<'_>, env: &[String], out: &mut String) -> Result<()> {
    let lookup = |name: &str| {
        env.iter().find_map(|entry| entry.split_once('=').filter(|(key, _)| *key == name))
    };
    if chars.peek() != Some(&'{') {
        let mut name = String::new();
        while let Some(c) = chars.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
            name.push(c);
        }
        match lookup(&name) {
            _ if name.is_empty() => out.push('$'),
            Some((_, value)) => out.push_str(value),
            None => {}
        }
        return Ok(());
    }
    chars.next();
    let mut body = String::new();
    let mut depth = 1;
    for c in chars.by_ref() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
        body.push(c);
    }
    if depth > 0 {
        return Err("a `${` is not closed");
    }
    let end = body.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(body.len());
    let (name, modifier) = body.split_at(end);
    if name.is_empty() {
        return Err("a variable has no name");
    }
    let value = lookup(name).map(|(_, value)| value);
    let set = value.filter(|value| !value.is_empty());
    match (modifier.get(..2), modifier.get(2..)) {
        _ if modifier.is_empty() => out.push_str(value.unwrap_or_default()),
        (Some(":-"), Some(word)) => match set {
            Some(value) => out.push_str(value),
            None => out.push_str(&expand(word, env)?),
        },
        (Some(":+"), Some(word)) if set.is_some() => out.push_str(&expand(word, env)?),
        (Some(":+"), _) => {}
        _ => return Err("a variable has an unknown modifier"),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_keep_quoted_blanks_together() {
        let words = |text| split_words(text, Words::Raw).unwrap();
        assert_eq!(
            words(r#"A=1  B="a b" C='x y'z D=a\ b"#),
            ["A=1", r#"B="a b""#, "C='x y'z", r"D=a\ b"]
        );
        assert_eq!(split_words("a 'b", Words::Raw), Err("a quote is not closed"));
    }

    #[test]
    fn variables_quotes_and_escapes() {
        let env = ["A=1".to_owned(), "E=".to_owned()];
        for (text, expected) in [
            ("$A-${A}x", "1-1x"),
            ("'$A' \"$A\"", "$A 1"),
            (r"\$A", "$A"),
            ("${E:-d} ${N:-$A} ${A:+y} ${E:+y}", "d 1 y "),
            ("$N", ""),
            ("5$", "5$"),
            (r#""a\b\"""#, r#"a\b""#),
        ] {
            assert_eq!(expand(text, &env).as_deref(), Ok(expected), "{text}");
        }
        assert_eq!(expand("${A", &env), Err("a `${` is not closed"));
        assert_eq!(expand("${A:?x}", &env), Err("a variable has an unknown modifier"));
    }
}
