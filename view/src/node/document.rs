//! What `node inspect` tells.

use coracle_swarm::model::Node;
use serde_json::{Value, json};

use crate::ViewError;
use crate::document::value_of;

/// What Docker tells of a node; there are no certificates, and so no `TLSInfo`.
///
/// # Errors
/// When it has no JSON form.
pub fn document(node: &Node) -> Result<Value, ViewError> {
    let mut document = value_of(node)?;
    if let Value::Object(map) = &mut document {
        map.remove("Coracle");
    }
    document["Description"]["Engine"]["Plugins"] = plugins();
    Ok(document)
}

/// What tasks may use, as `info` has it.
fn plugins() -> Value {
    let all = [
        ("Log", ["json-file", "local", "none"].as_slice()),
        ("Network", &["bridge", "host", "null", "overlay"]),
        ("Volume", &["local"]),
    ];
    let one = |(kind, names): (&'static str, &'static [&'static str])| {
        names.iter().map(move |name| json!({ "Type": kind, "Name": name }))
    };
    all.into_iter().flat_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_is_the_recorded_one() {
        let mut node: Node = serde_json::from_value(json!({
            "ID": "nc1tu9fidywt8tvxrj9p9yfon",
            "Version": { "Index": 15 },
            "CreatedAt": "2026-11-29T12:37:39.68856139Z",
            "UpdatedAt": "2026-11-29T12:37:39.775673134Z",
            "Spec": { "Labels": {}, "Role": "worker", "Availability": "active" },
            "Description": {
                "Hostname": "swm2",
                "Platform": { "Architecture": "x86_64", "OS": "linux" },
                "Resources": { "NanoCPUs": 2_000_000_000_i64, "MemoryBytes": 25_276_502_016_i64 },
                "Engine": { "EngineVersion": "28.5.2" },
            },
            "Status": { "State": "ready", "Addr": "10.77.0.22" },
        }))
        .unwrap();
        node.own.number = 2;
        let mut document = document(&node).unwrap();
        let keys: Vec<_> = document.as_object().unwrap().keys().cloned().collect();
        assert_eq!(
            keys,
            ["ID", "Version", "CreatedAt", "UpdatedAt", "Spec", "Description", "Status"]
        );
        assert_eq!(document["Description"]["Engine"]["Plugins"][0]["Type"], "Log");
        document["Description"]["Engine"].as_object_mut().unwrap().remove("Plugins");
        assert_eq!(
            document["Description"].to_string(),
            r#"{"Hostname":"swm2","Platform":{"Architecture":"x86_64","OS":"linux"},"Resources":{"NanoCPUs":2000000000,"MemoryBytes":25276502016},"Engine":{"EngineVersion":"28.5.2"}}"#
        );
        assert_eq!(
            document["Spec"].to_string(),
            r#"{"Labels":{},"Role":"worker","Availability":"active"}"#
        );
    }
}
