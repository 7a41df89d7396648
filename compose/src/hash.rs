//! Hashes of configurations: when one changes, what was made from it is made anew.
//!
//! They are those of Docker Compose: SHA-256 of the JSON that Go makes of the object.

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

/// Of a service as [`crate::Loaded::project`] holds it: without what does not concern its
/// containers.
pub fn service(service: &Value) -> String {
    let mut service = service.clone();
    if let Value::Object(map) = &mut service {
        for key in ["build", "pull_policy", "scale", "depends_on", "profiles"] {
            map.shift_remove(key);
        }
        if let Some(Value::Object(deploy)) = map.get_mut("deploy") {
            deploy.shift_remove("replicas");
        }
    }
    digest(&service)
}

/// Of a network.
pub fn network(network: &Value) -> String {
    digest(network)
}

/// Of a volume, whose driver is `local` unless it says otherwise.
pub fn volume(volume: &Value) -> String {
    let mut with_driver = Map::new();
    for (key, value) in volume.as_object().into_iter().flatten() {
        with_driver.insert(key.clone(), value.clone());
        if key == "name" && volume.get("driver").is_none() {
            with_driver.insert("driver".to_owned(), "local".into());
        }
    }
    digest(&Value::Object(with_driver))
}

fn digest(value: &Value) -> String {
    let mut json = String::new();
    write(value, &mut json);
    hex::encode(Sha256::digest(json.as_bytes()))
}

/// JSON as Go writes it: no spaces; `<`, `>` and `&` escaped.
fn write(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            out.push('{');
            for (index, (key, value)) in map.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                text(key, out);
                out.push(':');
                write(value, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Value::String(value) => text(value, out),
        other => out.push_str(&other.to_string()),
    }
}

fn text(value: &str, out: &mut String) {
    use std::fmt::Write as _;
    out.push('"');
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                // Writing to a string does not fail.
                write!(out, "\\u{:04x}", u32::from(c)).unwrap_or_default();
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn hashes_are_those_of_docker_compose() {
        let db = json!({
            "command": ["sleep", "1000"], "entrypoint": null, "image": "alpine", "init": true,
            "networks": {"back": null, "default": null},
        });
        assert_eq!(
            super::service(&db),
            "a9daef5d2a3ef69f33f1b8c54459c0b04a5bffad8bf3e16bb6e6f38bda12203e"
        );
        let mut built = db.clone();
        built["build"] = json!({"context": "/x"});
        built["scale"] = json!(3);
        assert_eq!(super::service(&built), super::service(&db));
    }

    #[test]
    fn text_is_escaped_as_go_does() {
        let mut out = String::new();
        super::write(&json!({"k": "<a> & \"b\"\u{1}"}), &mut out);
        assert_eq!(out, r#"{"k":"\u003ca\u003e \u0026 \"b\"\u0001"}"#);
    }
}
