//! What differs between two forms of a service, in words.

use serde_json::Value;

use crate::project::hash::essence;

/// The longest value that is shown whole, in characters.
const VALUE_CHARS_MAX: usize = 60;
/// More differences than these are counted, not listed.
const LISTED_MAX: usize = 8;

/// What of a service's container would change between two canonical forms.
#[must_use]
pub fn changes(old: &Value, new: &Value) -> Vec<String> {
    differences(&essence(old), &essence(new))
}

/// `PATH: OLD → NEW` for each difference.
#[must_use]
pub fn differences(old: &Value, new: &Value) -> Vec<String> {
    let mut found = Vec::new();
    walk("", Some(old), Some(new), &mut found);
    let more = found.len().saturating_sub(LISTED_MAX);
    if more > 0 {
        found.truncate(LISTED_MAX);
        found.push(format!("and {more} more"));
    }
    found
}

fn walk(path: &str, old: Option<&Value>, new: Option<&Value>, found: &mut Vec<String>) {
    if old == new || (old.is_none_or(Value::is_null) && new.is_none_or(Value::is_null)) {
        return;
    }
    let empty = serde_json::Map::new();
    let map = |value: Option<&Value>| match value {
        Some(Value::Object(map)) => Some(map.clone()),
        None | Some(Value::Null) => Some(empty.clone()),
        Some(_) => None,
    };
    let any = matches!(old, Some(Value::Object(_))) || matches!(new, Some(Value::Object(_)));
    if any && let (Some(old), Some(new)) = (map(old), map(new)) {
        let mut keys: Vec<&String> = old.keys().chain(new.keys()).collect();
        keys.sort();
        keys.dedup();
        let before = found.len();
        for key in keys {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            walk(&path, old.get(key), new.get(key), found);
        }
        if found.len() > before {
            return;
        }
    }
    found.push(format!("{path}: {} → {}", shown(old), shown(new)));
}

fn shown(value: Option<&Value>) -> String {
    let text = match value {
        None | Some(Value::Null) => return "unset".to_owned(),
        Some(Value::String(text)) if text.is_empty() => return "\"\"".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    if text.chars().count() <= VALUE_CHARS_MAX {
        return text.replace('\n', "\\n");
    }
    let start: String = text.chars().take(VALUE_CHARS_MAX).collect();
    format!("{}…", start.replace('\n', "\\n"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_difference_has_its_place() {
        let old = json!({"image": "a:1", "environment": {"TAG": "one", "X": "1"}, "tty": true,
                         "command": ["sleep", "1"], "ports": [{"target": 80}]});
        let new = json!({"image": "a:2", "environment": {"TAG": "two", "Y": ""},
                         "command": ["sleep", "2"], "scale": 3, "entrypoint": null});
        assert_eq!(
            changes(&old, &new),
            [
                "command: [\"sleep\",\"1\"] → [\"sleep\",\"2\"]",
                "environment.TAG: one → two",
                "environment.X: 1 → unset",
                "environment.Y: unset → \"\"",
                "image: a:1 → a:2",
                "ports: [{\"target\":80}] → unset",
                "tty: true → unset",
            ]
        );
    }

    #[test]
    fn what_only_orders_services_is_no_change() {
        let old = json!({"image": "a", "depends_on": {}, "deploy": {"replicas": 1}});
        let new = json!({"image": "a", "depends_on": {"b": {}}, "deploy": {"replicas": 2}});
        assert!(changes(&old, &new).is_empty());
    }

    #[test]
    fn long_values_and_long_lists_are_cut() {
        let long = json!({"environment": {"K": "x".repeat(100)}});
        assert!(changes(&json!({}), &long)[0].ends_with("x…"));
        let many: serde_json::Map<String, Value> =
            (0..20).map(|n| (format!("k{n:02}"), json!(n))).collect();
        assert_eq!(changes(&json!({}), &json!({"labels": many})).last().unwrap(), "and 12 more");
    }
}
