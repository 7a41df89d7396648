//! A later stack file on top of an earlier one, as Docker's loader of them does it.
//!
//! Services are merged attribute by attribute: what is set replaces, mappings are joined, lists are appended. Ports,
//! volumes, secrets and configs of a service replace each other by what they are published at, mounted at or made
//! of, and come out sorted. Networks, volumes, secrets and configs of the file are replaced whole. The test of a
//! health check replaces the earlier one: appended, as Docker does it, it would be a command that nobody wrote.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// `base` with what `over` says.
pub(super) fn merge(base: &mut Value, over: Value) {
    let Value::Object(over) = over else { return };
    for (section, new) in over {
        let Value::Object(new) = new else { continue };
        match section.as_str() {
            "services" => {
                let services = section_of(base, &section);
                for (name, service) in new {
                    match services.get_mut(&name) {
                        Some(old) => merge_service(old, service),
                        None => drop(services.insert(name, service)),
                    }
                }
                services.sort_keys();
            }
            "networks" | "volumes" | "secrets" | "configs" if !new.is_empty() => {
                section_of(base, &section).extend(new);
            }
            _ => {}
        }
    }
}

fn section_of<'a>(root: &'a mut Value, section: &str) -> &'a mut Map<String, Value> {
    let entry = &mut root[section];
    if !entry.is_object() {
        *entry = Value::Object(Map::new());
    }
    match entry {
        Value::Object(map) => map,
        _ => unreachable!("made a mapping before"),
    }
}

fn merge_service(base: &mut Value, over: Value) {
    let (Value::Object(base), Value::Object(mut over)) = (base, over) else { return };
    for (key, by) in [
        ("ports", "published"),
        ("volumes", "target"),
        ("secrets", "source"),
        ("configs", "source"),
    ] {
        let new = over.remove(key);
        match base.get_mut(key) {
            Some(old) => by_key(old, new.unwrap_or(Value::Null), by),
            None => base.extend(new.map(|new| (key.to_owned(), new))),
        }
    }
    attributes(base, over, "");
}

/// The later of two items with the same key, in the order of the keys.
fn by_key(base: &mut Value, over: Value, by: &str) {
    let mut found = BTreeMap::new();
    for list in [base.take(), over] {
        let Value::Array(items) = list else { continue };
        for item in items {
            let number = item[by].as_u64().unwrap_or_default();
            let text = item[by].as_str().unwrap_or_default().to_owned();
            found.insert((number, text), item);
        }
    }
    *base = Value::Array(found.into_values().collect());
}

fn attributes(base: &mut Map<String, Value>, over: Map<String, Value>, within: &str) {
    for (key, new) in over {
        match base.get_mut(&key) {
            None => drop(base.insert(key, new)),
            Some(old) => attribute(old, new, &key, within),
        }
    }
}

fn attribute(old: &mut Value, new: Value, key: &str, within: &str) {
    let whole = match (within, key) {
        ("", "command" | "entrypoint") | ("healthcheck", "test") | ("ulimits", _) => true,
        ("", "logging") => {
            let (a, b) = (old["driver"].as_str(), new["driver"].as_str());
            a.is_some() && b.is_some() && a != b
        }
        _ => false,
    };
    match (old, new) {
        (old, new) if whole => *old = new,
        (Value::Object(old), Value::Object(new)) if within == "networks" => network(old, new),
        (Value::Object(old), Value::Object(new)) => attributes(old, new, key),
        (Value::Array(old), Value::Array(new)) => old.extend(new),
        (old, new) if replaces(old, &new, within) => *old = new,
        _ => {}
    }
}

/// Aliases are replaced, also by none.
fn network(old: &mut Map<String, Value>, mut new: Map<String, Value>) {
    old.remove("aliases");
    for key in ["aliases", "ipv4_address", "ipv6_address"] {
        old.extend(new.remove(key).map(|value| (key.to_owned(), value)));
    }
}

/// What says nothing does not replace what says something, except among labels.
fn replaces(old: &Value, new: &Value, within: &str) -> bool {
    let blank = |value: &Value| match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty() || text == "0s",
        _ => false,
    };
    matches!(within, "labels" | "sysctls" | "options") || !blank(new) || blank(old)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::merge;

    #[test]
    fn attribute_by_attribute() {
        let mut base = json!({"version": "3.8", "services": {"w": {
            "command": ["a", "b"], "dns": ["1"], "environment": {"A": "1", "B": "2"}, "labels": {"x": "1"},
            "healthcheck": {"test": ["CMD", "a"], "retries": 3},
            "ports": [{"target": 80, "published": 2}, {"target": 81, "published": 1}],
            "networks": {"n": {"aliases": ["a"], "ipv4_address": "1"}, "m": null},
            "logging": {"driver": "a", "options": {"x": "1"}}, "init": true}}});
        merge(
            &mut base,
            json!({"version": "3.8", "services": {"a": {"image": "i"}, "w": {
            "command": ["c"], "dns": ["2"], "environment": {"A": "", "B": null, "C": null}, "labels": {"x": ""},
            "healthcheck": {"test": ["CMD", "b"]}, "ports": [{"target": 82, "published": 2}],
            "networks": {"n": {"ipv6_address": "2"}, "m": {"aliases": ["b"]}},
            "logging": {"driver": "b"}, "init": false}}, "networks": {"n": {}}}),
        );
        let wanted = json!({"version": "3.8", "services": {"a": {"image": "i"}, "w": {
            "command": ["c"], "dns": ["1", "2"], "environment": {"A": "1", "B": "2", "C": null},
            "labels": {"x": ""}, "healthcheck": {"test": ["CMD", "b"], "retries": 3},
            "ports": [{"target": 81, "published": 1}, {"target": 82, "published": 2}],
            "networks": {"n": {"ipv4_address": "1", "ipv6_address": "2"}, "m": {"aliases": ["b"]}},
            "logging": {"driver": "b"}, "init": true}}, "networks": {"n": {}}});
        assert_eq!(base, wanted);
    }
}
