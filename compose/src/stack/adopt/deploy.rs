//! `deploy` of a service of Compose, with the older attributes that say the same.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

/// As a stack file has it.
pub(super) fn deploy(
    from: &Value,
    unknown: &mut BTreeSet<String>,
) -> Result<Map<String, Value>, String> {
    let mut deploy = match &from["deploy"] {
        Value::Object(map) => map.clone(),
        _ => Map::new(),
    };
    if let Some(scale) = from.get("scale").filter(|scale| !scale.is_null()) {
        deploy.entry("replicas".to_owned()).or_insert_with(|| scale.clone());
    }
    if deploy.get("replicas").is_some_and(|count| count.as_i64().is_some_and(|count| count < 0)) {
        return Err("deploy.replicas: must be 0 or more".to_owned());
    }
    // Docker's loader of stack files takes no notice of it; who writes it in a Compose file means it.
    if from["restart"] == "no" && deploy.get("restart_policy").is_none_or(Value::is_null) {
        deploy.insert("restart_policy".to_owned(), json!({ "condition": "none" }));
    }
    let mut resources = match deploy.remove("resources") {
        Some(Value::Object(map)) => map,
        _ => Map::new(),
    };
    for (older, part, key) in [
        ("cpus", "limits", "cpus"),
        ("mem_limit", "limits", "memory"),
        ("pids_limit", "limits", "pids"),
        ("mem_reservation", "reservations", "memory"),
    ] {
        let value = from
            .get(older)
            .filter(|v| !v.is_null() && v.as_str() != Some("0") && v.as_f64() != Some(0.0));
        if let Some(value) = value {
            let part = resources.entry(part.to_owned()).or_insert_with(|| json!({}));
            if part.get(key).is_none() {
                part[key] = value.clone();
            }
        }
    }
    for part in resources.values_mut() {
        if let Some(cpus) = part.get_mut("cpus").filter(|cpus| cpus.is_number()) {
            *cpus = cpus.to_string().into();
        }
        if let Some(map) = part.as_object_mut()
            && map.remove("devices").is_some_and(|devices| devices != json!([]))
        {
            unknown.insert("devices".to_owned());
        }
    }
    resources.retain(|_, part| *part != json!({}));
    if !resources.is_empty() {
        deploy.insert("resources".to_owned(), Value::Object(resources));
    }
    deploy.retain(|_, value| !value.is_null() && *value != json!({}));
    Ok(deploy)
}
