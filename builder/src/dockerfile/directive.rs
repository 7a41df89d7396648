//! `# syntax=`, `# escape=`, `# check=`: the lines at the very top.
//!
//! The first line that is none of them ends the search: a comment, a blank line, an instruction.

/// A known directive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    Check,
    Escape,
    Syntax,
}

impl Key {
    fn parse(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "check" => Some(Self::Check),
            "escape" => Some(Self::Escape),
            "syntax" => Some(Self::Syntax),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Escape => "escape",
            Self::Syntax => "syntax",
        }
    }
}

/// Reads directives line by line, until there are no more.
#[derive(Debug)]
pub(super) struct Reader {
    /// What a directive begins with.
    mark: &'static str,
    seen: Vec<Key>,
    ended: bool,
}

impl Default for Reader {
    fn default() -> Self {
        Self::new("#")
    }
}

impl Reader {
    fn new(mark: &'static str) -> Self {
        Self { mark, seen: Vec::new(), ended: false }
    }

    /// The directive of the next line, if it has one.
    pub(super) fn next(&mut self, line: &str) -> Result<Option<(Key, String)>, String> {
        if self.ended {
            return Ok(None);
        }
        let Some((key, value)) = line.strip_prefix(self.mark).and_then(read) else {
            self.ended = true;
            return Ok(None);
        };
        if self.seen.contains(&key) {
            return Err(format!("only one {} parser directive can be used", key.name()));
        }
        self.seen.push(key);
        Ok(Some((key, value.to_owned())))
    }
}

/// `KEY = VALUE`, where the key is known.
fn read(text: &str) -> Option<(Key, &str)> {
    let (name, value) = text.trim_start().split_once('=')?;
    let name = name.trim_end();
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let value = value.trim();
    if !is_name || value.is_empty() {
        return None;
    }
    Some((Key::parse(name)?, value))
}

/// The value of a comment `check=…` above an instruction.
pub(crate) fn check_comment(comment: &str) -> Option<&str> {
    match read(comment)? {
        (Key::Check, value) => Some(value),
        _ => None,
    }
}

/// The value of `# check=`.
pub fn check(text: &str) -> Option<String> {
    find(text, "#", Key::Check)
}

/// The image of the frontend that a file asks for: by `# syntax=`, `// syntax=` or a key of JSON.
pub fn syntax(text: &str) -> Option<String> {
    let found = find(text, "#", Key::Syntax).or_else(|| find(text, "//", Key::Syntax));
    let found = found.or_else(|| {
        let (_, rest) = after_shebang(text);
        let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(rest).ok()?;
        Some(object.get("syntax")?.as_str()?.to_owned())
    })?;
    Some(found.split(' ').next().unwrap_or_default().to_owned())
}

fn find(text: &str, mark: &'static str, wanted: Key) -> Option<String> {
    let mut reader = Reader::new(mark);
    let (_, rest) = after_shebang(text);
    for line in rest.lines() {
        match reader.next(line) {
            Ok(Some((key, value))) if key == wanted => return Some(value),
            Ok(Some(_)) => {}
            // A second one of its kind is told of where the file is parsed.
            Ok(None) | Err(_) => return None,
        }
    }
    None
}

/// The text without a mark of its encoding and a first line `#!…`.
fn after_shebang(text: &str) -> (bool, &str) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.starts_with("#!") {
        return (true, text.split_once('\n').map_or("", |(_, rest)| rest));
    }
    (false, text)
}

#[cfg(test)]
mod tests {
    use super::{check, check_comment, syntax};

    #[test]
    fn directives_stand_at_the_top() {
        let text = "# syntax = docker/dockerfile:1 more\n#CHECK=skip=all;error=true\nFROM x\n";
        assert_eq!(syntax(text).as_deref(), Some("docker/dockerfile:1"));
        assert_eq!(check(text).as_deref(), Some("skip=all;error=true"));
        for late in
            ["\n# check=skip=all\n", "# hello\n# check=skip=all\n", "# x=1\n# check=skip=all\n"]
        {
            assert_eq!(check(late), None, "{late:?}");
        }
        assert_eq!(syntax("#!/usr/bin/env x\n# syntax=a\n").as_deref(), Some("a"));
        assert_eq!(syntax("// syntax=b\n").as_deref(), Some("b"));
        assert_eq!(syntax("\u{feff}{\"syntax\": \"c\"}").as_deref(), Some("c"));
        assert_eq!(syntax("FROM a\n# syntax=b\n"), None);
    }

    #[test]
    fn a_comment_above_an_instruction() {
        assert_eq!(check_comment("check=skip=A,B why"), Some("skip=A,B why"));
        assert_eq!(check_comment("CHECK = skip=all"), Some("skip=all"));
        assert_eq!(check_comment("escape=`"), None);
        assert_eq!(check_comment("a check=skip=all"), None);
    }
}
