//! YAML in the layout of Docker Compose: two spaces for each level, lists indented below their
//! key, quotes only where they are needed.

use serde_json::Value;

use super::numbers::general;
use crate::yaml::{is_plain_text, looks_like_old_bool};

/// A document.
pub(crate) fn document(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Object(map) if !map.is_empty() => mapping(&mut out, map, 0),
        Value::Array(items) if !items.is_empty() => list(&mut out, items, 0),
        other => {
            scalar(&mut out, other, 0);
            out.push('\n');
        }
    }
    out
}

fn mapping(out: &mut String, map: &serde_json::Map<String, Value>, indent: usize) {
    for (index, (key, value)) in map.iter().enumerate() {
        // The first entry may stand behind the dash of a list.
        if index > 0 || !out.ends_with("- ") {
            pad(out, indent);
        }
        text(out, key, indent, true);
        out.push(':');
        child(out, value, indent);
    }
}

fn list(out: &mut String, items: &[Value], indent: usize) {
    for item in items {
        pad(out, indent);
        out.push_str("- ");
        match item {
            Value::Object(map) if !map.is_empty() => mapping(out, map, indent + 2),
            Value::Array(inner) if !inner.is_empty() => {
                // A list in a list begins on the same line.
                let start = out.len();
                list(out, inner, indent + 2);
                out.replace_range(start..start + indent + 2, "");
            }
            other => {
                scalar(out, other, indent);
                out.push('\n');
            }
        }
    }
}

fn child(out: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            out.push('\n');
            mapping(out, map, indent + 2);
        }
        Value::Array(items) if !items.is_empty() => {
            out.push('\n');
            list(out, items, indent + 2);
        }
        other => {
            out.push(' ');
            scalar(out, other, indent);
            out.push('\n');
        }
    }
}

fn pad(out: &mut String, indent: usize) {
    out.extend(std::iter::repeat_n(' ', indent));
}

fn scalar(out: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => match number.as_f64() {
            Some(value) if number.is_f64() => out.push_str(&general(value)),
            _ => out.push_str(&number.to_string()),
        },
        Value::String(value) => text(out, value, indent, false),
        Value::Array(_) => out.push_str("[]"),
        Value::Object(_) => out.push_str("{}"),
    }
}

/// A text plain, in quotes, or as a literal block.
fn text(out: &mut String, value: &str, indent: usize, is_key: bool) {
    if !is_plain_text(value) || looks_like_old_bool(value) {
        return double_quoted(out, value);
    }
    if value.contains('\n') {
        let block = !is_key
            && value.chars().all(|c| c == '\t' || is_printable(c))
            && !value.trim().is_empty();
        // A space at the end of a line would be lost in some editors; Go quotes it.
        return match block && !value.contains(" \n") && !value.ends_with(' ') {
            true => literal(out, value, indent),
            false => double_quoted(out, value),
        };
    }
    if !value.chars().all(is_printable) {
        return double_quoted(out, value);
    }
    match may_be_plain(value) {
        true => out.push_str(value),
        false => {
            out.push('\'');
            out.push_str(&value.replace('\'', "''"));
            out.push('\'');
        }
    }
}

/// As Go has it, for which what lies beyond 16 bits is not.
fn is_printable(c: char) -> bool {
    match c {
        '\n' => true,
        '\u{feff}' | '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}' => false,
        c => !c.is_control() && c < '\u{10000}',
    }
}

fn may_be_plain(value: &str) -> bool {
    let mut chars = value.chars();
    let Some(first) = chars.next() else { return false };
    let second = chars.next();
    let edge = value.starts_with(' ') || value.ends_with(' ');
    let marks = value.starts_with("---") || value.starts_with("...");
    let indicator = match first {
        '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%'
        | '@' | '`' => true,
        '?' | ':' | '-' => second.is_none_or(char::is_whitespace),
        _ => false,
    };
    let inside = value.contains(": ") || value.ends_with(':') || value.contains(" #");
    !(edge || marks || indicator || inside || value.contains('\t'))
}

fn literal(out: &mut String, value: &str, indent: usize) {
    out.push('|');
    if value.starts_with([' ', '\n']) {
        out.push('2');
    }
    let trailing = value.len() - value.trim_end_matches('\n').len();
    match trailing {
        0 => out.push('-'),
        1 => {}
        _ => out.push('+'),
    }
    let body = value.strip_suffix('\n').unwrap_or(value);
    for line in body.split('\n') {
        out.push('\n');
        if !line.is_empty() {
            pad(out, indent + 2);
            out.push_str(line);
        }
    }
}

fn double_quoted(out: &mut String, value: &str) {
    out.push('"');
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\0' => out.push_str("\\0"),
            '\u{1b}' => out.push_str("\\e"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            '\u{85}' => out.push_str("\\N"),
            '\u{2028}' => out.push_str("\\L"),
            '\u{2029}' => out.push_str("\\P"),
            '\u{feff}' => out.push_str("\\uFEFF"),
            c if c.is_control() => out.push_str(&format!("\\x{:02X}", u32::from(c))),
            c if c > '\u{ffff}' => out.push_str(&format!("\\U{:08X}", u32::from(c))),
            c if c >= '\u{fffe}' => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::document;

    #[test]
    fn layout() {
        let value = json!({
            "name": "x",
            "list": ["a", "1", "yes", "", "a: b", "- x", "it's", "#c", "t\tb", "on line"],
            "maps": [{"a": 1, "b": {"c": null}}, [1, 2], {}],
            "text": "one\ntwo\n",
            "bare": "one\ntwo",
            "tabs": "one\n\ttwo\n",
            "space": "one\ntwo ",
            "rocket": "🚀 up",
            "empty": [],
            "none": {},
            "f": 0.5,
            "b": true,
        });
        insta::assert_snapshot!(document(&value), @r#"
        name: x
        list:
          - a
          - "1"
          - "yes"
          - ""
          - 'a: b'
          - '- x'
          - it's
          - '#c'
          - "t\tb"
          - on line
        maps:
          - a: 1
            b:
              c: null
          - - 1
            - 2
          - {}
        text: |
          one
          two
        bare: |-
          one
          two
        tabs: |
          one
          	two
        space: "one\ntwo "
        rocket: "\U0001F680 up"
        empty: []
        none: {}
        f: 0.5
        b: true
        "#);
    }

    #[test]
    fn what_is_written_is_read_back() {
        for text in [
            "",
            " a",
            "a ",
            "a\n",
            "\na",
            "a\n\n",
            "  a\nb",
            "a:",
            "a: b",
            "a #b",
            "'",
            "\"",
            "\\",
            "null",
            "1e3",
            "2001-12-14",
            "-",
            "- a",
            "?",
            "? a",
            ":",
            "!x",
            "&x",
            "*x",
            "%x",
            "@x",
            "`x",
            "{a}",
            "[a]",
            "a, b",
            "\u{7}",
            "\u{85}",
            "\u{feff}",
            "é",
            "a\r\nb",
            "---",
            "...",
            "--- a",
            "a \nb",
            "\t",
            "a\tb",
            "<<",
            "~",
            "=",
            "0x1f",
            "1_000",
            "8:30",
            "\n",
            "\n\n",
            "🚀",
            "a\n\tb",
            "\u{ffff}",
        ] {
            let written = document(&json!({ "k": text, "l": [text, [text]], text: 1 }));
            let read = crate::yaml::read(0, written.as_bytes());
            let read = read.unwrap_or_else(|e| panic!("{text:?}: {e:?}\n{written}")).remove(0).root;
            let found = read.get("k").and_then(|node| node.as_text());
            assert_eq!(found, Some(text), "\n{written}");
            assert_eq!(read.get("l").unwrap().items().next().unwrap().as_text(), Some(text));
            assert!(read.get(text).is_some(), "{text:?}\n{written}");
        }
    }
}
