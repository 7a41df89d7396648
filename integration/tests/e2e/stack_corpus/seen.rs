//! What is compared of services and networks, and how.

use serde_json::{Map, Value, json};

pub(super) const NAMESPACE: &str = "com.docker.stack.namespace";

/// A service of which a file says nothing beyond an image and no replicas.
pub(super) fn service(stack: &str, name: &str) -> Value {
    let key = name.strip_prefix(&format!("{stack}_")).unwrap_or(name);
    let update = json!({
        "Parallelism": 1, "FailureAction": "pause", "Monitor": 5_000_000_000_u64, "MaxFailureRatio": 0, "Order": "stop-first",
    });
    json!({
        "Name": name,
        "Labels": {"com.docker.stack.image": "alpine", NAMESPACE: stack},
        "TaskTemplate": {
            "ContainerSpec": {
                "Image": "alpine:latest",
                "Labels": {NAMESPACE: stack},
                "Privileges": {"NoNewPrivileges": false},
                "StopGracePeriod": 10_000_000_000_u64,
                "Isolation": "default",
            },
            "RestartPolicy": {"Condition": "any", "Delay": 5_000_000_000_u64, "MaxAttempts": 0},
            "Networks": [{"Target": format!("{stack}_default"), "Aliases": [key]}],
            "ForceUpdate": 0,
            "Runtime": "container",
        },
        "Mode": {"Replicated": {"Replicas": 0}},
        "UpdateConfig": update,
        "RollbackConfig": update,
        "EndpointSpec": {"Mode": "vip"},
    })
}

pub(super) fn network(stack: &str) -> Value {
    json!({
        "Driver": "overlay", "Scope": "swarm", "Internal": false, "Attachable": false, "Ingress": false,
        "EnableIPv6": false, "Labels": {NAMESPACE: stack}, "IPAM": {"Driver": "default"},
    })
}

/// A spec with names in place of ids, without what is not compared.
pub(super) fn seen_service(mut spec: Value, networks: &[Value]) -> Value {
    let task = &mut spec["TaskTemplate"];
    for (kind, id) in [("Secret", "SecretID"), ("Config", "ConfigID")] {
        if let Some(uses) = task["ContainerSpec"][format!("{kind}s")].as_array_mut() {
            for used in uses.iter_mut() {
                used.as_object_mut().expect("an object").remove(id);
            }
            let key = |used: &Value| (string(&used[format!("{kind}Name")]), used.to_string());
            uses.sort_by_key(key);
        }
    }
    if let Some(uses) = task["Networks"].as_array_mut() {
        for used in uses.iter_mut() {
            let id = used["Target"].take();
            let named = networks.iter().find(|network| network["Id"] == id);
            used["Target"] = named.map_or("<ID>".into(), |network| network["Name"].clone());
            if let Some(aliases) = used["Aliases"].as_array_mut() {
                aliases.sort_by_key(string);
            }
        }
        uses.sort_by_key(|used| string(&used["Target"]));
    }
    pruned(&spec, false)
}

pub(super) fn seen_network(network: &Value, text: &str) -> Value {
    let ipam = &network["IPAM"];
    let mut options = network["Options"].clone();
    if let Some(options) = options.as_object_mut() {
        options.remove("com.docker.network.driver.overlay.vxlanid_list");
    }
    let pools = ipam["Config"].as_array().into_iter().flatten();
    let subnets: Vec<_> = pools
        .filter_map(|pool| pool["Subnet"].as_str())
        .filter(|subnet| text.contains(subnet))
        .collect();
    let mut seen = json!({
        "Options": options,
        "IPAM": {"Driver": ipam["Driver"], "Options": ipam["Options"], "Subnets": subnets},
    });
    for key in ["Driver", "Scope", "Internal", "Attachable", "Ingress", "EnableIPv6", "Labels"] {
        seen[key] = network[key].clone();
    }
    pruned(&seen, false)
}

/// Without null, "", [] and {}; in maps with free keys "" stays. A number has one form, an id none.
pub(super) fn pruned(value: &Value, free: bool) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.iter().filter_map(|(key, value)| {
                let is_free = matches!(key.as_str(), "Labels" | "Options" | "Sysctls");
                let value = pruned(value, is_free);
                let is_nothing = match &value {
                    Value::Null => true,
                    Value::String(text) => text.is_empty() && !free,
                    Value::Array(items) => items.is_empty(),
                    Value::Object(all) => {
                        all.is_empty() && !matches!(key.as_str(), "Global" | "GlobalJob")
                    }
                    _ => false,
                };
                (!is_nothing).then(|| (key.clone(), value))
            });
            Value::Object(kept.collect())
        }
        Value::Array(items) => items.iter().map(|item| pruned(item, false)).collect(),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() && float == 0.0 => json!(0),
            _ => value.clone(),
        },
        Value::String(text) => without_ids(text).into(),
        other => other.clone(),
    }
}

/// A merge patch, applied (RFC 7396).
pub(super) fn patched(base: Value, patch: &Value) -> Value {
    let Value::Object(changes) = patch else { return patch.clone() };
    let mut out = match base {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    for (key, change) in changes {
        let old = out.remove(key).unwrap_or_default();
        if !change.is_null() {
            out.insert(key.clone(), patched(old, change));
        }
    }
    Value::Object(out)
}

pub(super) fn differ(path: &str, wanted: &Value, seen: &Value, found: &mut Vec<String>) {
    match (wanted, seen) {
        (Value::Object(wanted), Value::Object(seen)) => {
            let missing = seen.keys().filter(|key| !wanted.contains_key(*key));
            for key in wanted.keys().chain(missing) {
                let of = |map: &Map<String, Value>| map.get(key).cloned().unwrap_or_default();
                differ(&format!("{path}.{key}"), &of(wanted), &of(seen), found);
            }
        }
        _ if wanted == seen => {}
        _ => found.push(format!("{path}: {seen}, expected {wanted}")),
    }
}

/// With `<ID>` for every id of an object of a swarm.
pub(super) fn without_ids(text: &str) -> String {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut out = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(length);
        let is_id = word.len() == 25
            && word.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase())
            && word.bytes().any(|byte| byte.is_ascii_digit());
        out.push_str(if is_id { "<ID>" } else { word });
        let between = after.find(is_word).unwrap_or(after.len());
        out.push_str(&after[..between]);
        rest = &after[between..];
    }
    out
}

pub(super) fn sorted(lines: &Value) -> Vec<String> {
    let mut lines: Vec<_> = lines.as_array().into_iter().flatten().map(string).collect();
    lines.sort();
    lines
}

pub(super) fn string(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
