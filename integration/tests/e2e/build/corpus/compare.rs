//! Differences between what was expected and what came.

use serde_json::Value;

/// The longest text that is shown.
const SHOWN: usize = 300;

fn short(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    text.chars().take(SHOWN).collect()
}

/// Every place in which two values differ.
pub(super) fn differences(wanted: &Value, got: &Value, at: &str, out: &mut Vec<String>) {
    match (wanted, got) {
        (Value::Object(wanted), Value::Object(got)) => {
            for (key, value) in wanted {
                match got.get(key) {
                    Some(other) => differences(value, other, &format!("{at} {key}"), out),
                    None => out.push(format!("{at} {key}: missing, expected {}", short(value))),
                }
            }
            for (key, value) in got.iter().filter(|(key, _)| !wanted.contains_key(*key)) {
                out.push(format!("{at} {key}: unexpected {}", short(value)));
            }
        }
        (Value::Array(wanted), Value::Array(got)) => {
            for (index, (value, other)) in wanted.iter().zip(got).enumerate() {
                differences(value, other, &format!("{at}[{index}]"), out);
            }
            for value in wanted.iter().skip(got.len()) {
                out.push(format!("{at}: missing {}", short(value)));
            }
            for value in got.iter().skip(wanted.len()) {
                out.push(format!("{at}: unexpected {}", short(value)));
            }
        }
        _ if wanted == got => {}
        _ => out.push(format!("{at}: {}, expected {}", short(got), short(wanted))),
    }
}

/// Differences of two lists in any order.
pub(super) fn lists(what: &str, wanted: &[String], got: &[String], out: &mut Vec<String>) {
    let mut left = got.to_vec();
    for line in wanted {
        match left.iter().position(|other| other == line) {
            Some(at) => drop(left.remove(at)),
            None => out.push(format!("{what}: missing {line}")),
        }
    }
    out.extend(left.iter().map(|line| format!("{what}: unexpected {line}")));
}

/// An `ADD` of an address is there once or twice, from the cache or not.
pub(super) fn once(steps: Vec<String>) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for step in steps {
        let of_address = step.contains("] ADD ") && step.contains("http://");
        let name = step.strip_prefix("CACHED ").filter(|_| of_address).unwrap_or(&step).to_owned();
        if !(of_address && out.contains(&name)) {
            out.push(name);
        }
    }
    out
}
