//! One instruction: its name, its flags, and its arguments by the form that it has.

use super::words::{self, pairs};
use super::{Arguments, Line};
use crate::source::{Fault, Span};

/// Splits the text of an instruction. Names that are none pass: they are told of later, with a place.
pub(super) fn read(text: &str, escape: char) -> Result<Line, Fault> {
    let trimmed = text.trim();
    let (name, rest) = match trimmed.split_once(words::is_blank) {
        Some((name, rest)) => (name, rest.trim_start_matches(words::is_blank)),
        None => (trimmed, ""),
    };
    let (flags, rest) = words::flags(rest, escape);
    let arguments = arguments(name, rest.trim(), escape)?;
    Ok(Line {
        name: name.to_owned(),
        flags,
        arguments,
        text: text.to_owned(),
        heredocs: Vec::new(),
        comments: Vec::new(),
        span: Span::line(0),
    })
}

/// Whether `<<` in it begins a heredoc.
pub(super) fn may_have_heredocs(line: &Line) -> bool {
    let line = match &line.arguments {
        Arguments::Trigger(inner) => inner,
        _ => line,
    };
    let takes = ["add", "copy", "run"].contains(&line.name.to_ascii_lowercase().as_str());
    takes && !line.arguments.is_json()
}

fn arguments(name: &str, rest: &str, escape: char) -> Result<Arguments, Fault> {
    match name.to_ascii_lowercase().as_str() {
        "add" | "copy" | "volume" => Ok(match json(rest)? {
            Some(words) => Arguments::Json(words),
            None => Arguments::Words(words::split(rest)),
        }),
        "cmd" | "entrypoint" | "run" | "shell" => Ok(match json(rest)? {
            Some(words) => Arguments::Json(words),
            None => Arguments::Words(one(rest)),
        }),
        "healthcheck" => health(rest),
        "arg" => Ok(Arguments::Words(words::quoted(rest, escape))),
        "env" => pairs(rest, "ENV", escape),
        "label" => pairs(rest, "LABEL", escape),
        "expose" | "from" => Ok(Arguments::Words(words::split(rest))),
        "maintainer" | "stopsignal" | "user" | "workdir" => Ok(Arguments::Words(one(rest))),
        "onbuild" if !rest.is_empty() => Ok(Arguments::Trigger(Box::new(read(rest, escape)?))),
        _ => Ok(Arguments::Words(Vec::new())),
    }
}

/// The whole rest as one word, if there is any.
fn one(rest: &str) -> Vec<String> {
    if rest.is_empty() { Vec::new() } else { vec![rest.to_owned()] }
}

/// The words of an array of JSON. What is none is the form of the shell, but an array of
/// something else than text is an error.
fn json(rest: &str) -> Result<Option<Vec<String>>, Fault> {
    let rest = rest.trim_start();
    if !rest.starts_with('[') {
        return Ok(None);
    }
    let Ok(values) = serde_json::from_str::<Vec<serde_json::Value>>(rest) else { return Ok(None) };
    let words = values.into_iter().map(|value| match value {
        serde_json::Value::String(word) => Ok(word),
        _ => Err(Fault::new(
            "when using JSON array syntax, arrays must be comprised of strings only",
        )),
    });
    words.collect::<Result<_, _>>().map(Some)
}

/// The type, then a command in either form.
fn health(rest: &str) -> Result<Arguments, Fault> {
    let (kind, command) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let mut words = one(kind);
    let command = command.trim_start();
    match json(command)? {
        Some(command) => {
            words.extend(command);
            Ok(Arguments::Json(words))
        }
        None => {
            words.extend(one(command));
            Ok(Arguments::Words(words))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Arguments {
        read(text, '\\').unwrap().arguments
    }

    fn strings(list: &[&str]) -> Vec<String> {
        list.iter().map(|&word| word.to_owned()).collect()
    }

    #[test]
    fn each_form() {
        assert_eq!(words(r#"CMD [ "a", "b c" ]"#), Arguments::Json(strings(&["a", "b c"])));
        assert_eq!(words("cmd ['a']"), Arguments::Words(strings(&["['a']"])));
        assert_eq!(words("COPY a  b\tc"), Arguments::Words(strings(&["a", "b", "c"])));
        assert_eq!(words("VOLUME []"), Arguments::Json(Vec::new()));
        assert_eq!(words("USER a b"), Arguments::Words(strings(&["a b"])));
        assert_eq!(words(r#"ARG a="b c" d"#), Arguments::Words(strings(&[r#"a="b c""#, "d"])));
        assert_eq!(words(r#"HEALTHCHECK CMD ["a"]"#), Arguments::Json(strings(&["CMD", "a"])));
        assert_eq!(words("HEALTHCHECK NONE"), Arguments::Words(strings(&["NONE"])));
        let why = read("CMD [1]", '\\').unwrap_err().message;
        assert_eq!(why, "when using JSON array syntax, arrays must be comprised of strings only");
    }

    #[test]
    fn flags_stand_before_the_arguments() {
        let line = read("COPY --from=a --chown=\"x y\" --link b --c d", '\\').unwrap();
        assert_eq!(line.flags, ["--from=a", "--chown=x y", "--link"]);
        assert_eq!(line.arguments.words(), ["b", "--c", "d"]);
        let line = read("RUN -- --x", '\\').unwrap();
        assert_eq!((line.flags.len(), line.arguments.words()), (0, &strings(&["--x"])[..]));
    }
}
