//! A project of the Compose Specification in the form of a stack file: what both have, in Docker's names and types.
//! What the form has no place for is left out, and its name is told.

mod deploy;

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::read::VERSION;
use crate::Loaded;

/// Attributes of services that a stack has, by the same name and in the same form.
const SAME: &[&str] = &[
    "cap_add",
    "cap_drop",
    "cgroup_parent",
    "command",
    "container_name",
    "credential_spec",
    "dns",
    "dns_search",
    "domainname",
    "entrypoint",
    "environment",
    "expose",
    "external_links",
    "healthcheck",
    "hostname",
    "image",
    "init",
    "ipc",
    "isolation",
    "labels",
    "links",
    "logging",
    "mac_address",
    "network_mode",
    "oom_score_adj",
    "pid",
    "privileged",
    "read_only",
    "restart",
    "security_opt",
    "shm_size",
    "stdin_open",
    "stop_grace_period",
    "stop_signal",
    "sysctls",
    "tmpfs",
    "tty",
    "ulimits",
    "user",
    "userns_mode",
    "working_dir",
];

/// Those that are read here, or say nothing about a container.
const READ: &[&str] = &[
    "build",
    "configs",
    "cpus",
    "depends_on",
    "deploy",
    "devices",
    "env_file",
    "extra_hosts",
    "mem_limit",
    "mem_reservation",
    "networks",
    "pids_limit",
    "ports",
    "profiles",
    "pull_policy",
    "scale",
    "secrets",
    "volumes",
];

/// The file, and the names of attributes that no stack can have.
pub(super) fn adopt(loaded: &Loaded) -> Result<(Value, Vec<String>), String> {
    let project = &loaded.project;
    let mut unknown = BTreeSet::new();
    let mut root = Map::new();
    root.insert("version".to_owned(), VERSION.into());
    let mut services = Map::new();
    for (name, service) in loaded.services() {
        let service = self::service(service, &mut unknown)
            .map_err(|message| format!("services.{name}.{message}"))?;
        services.insert(name.clone(), service);
    }
    root.insert("services".to_owned(), Value::Object(services));
    for section in ["networks", "volumes", "secrets", "configs"] {
        let mut objects = project[section].as_object().cloned().unwrap_or_default();
        for (key, object) in &mut objects {
            object_of(key, object);
        }
        if !objects.is_empty() {
            root.insert(section.to_owned(), Value::Object(objects));
        }
    }
    let extensions = project.as_object().into_iter().flatten();
    root.extend(
        extensions.filter(|(key, _)| key.starts_with("x-")).map(|(k, v)| (k.clone(), v.clone())),
    );
    Ok((Value::Object(root), unknown.into_iter().collect()))
}

/// A network, volume, secret or config.
fn object_of(key: &str, object: &mut Value) {
    let Value::Object(map) = object else {
        *object = json!({});
        return;
    };
    let external = map.get("external").and_then(Value::as_bool).unwrap_or_default();
    if external && !map.contains_key("name") {
        map.insert("name".to_owned(), key.into());
    }
    map.retain(|_, value| !value.is_null() && *value != json!(false) && *value != json!({}));
}

fn service(from: &Value, unknown: &mut BTreeSet<String>) -> Result<Value, String> {
    let mut out = Map::new();
    for (key, value) in from.as_object().into_iter().flatten() {
        if SAME.contains(&key.as_str()) || key.starts_with("x-") {
            if !value.is_null() {
                out.insert(key.clone(), value.clone());
            }
        } else if !READ.contains(&key.as_str()) {
            unknown.insert(key.clone());
        }
    }
    rewritten(from, &mut out);
    if let Some(networks) = from["networks"].as_object() {
        let networks = networks.iter().map(|(name, of)| (name.clone(), network(of, unknown)));
        out.insert("networks".to_owned(), Value::Object(networks.collect()));
    }
    if let Some(ports) = from["ports"].as_array() {
        let ports: Result<Vec<Value>, String> = ports.iter().map(port).collect();
        out.insert("ports".to_owned(), ports?.into());
    }
    for key in ["secrets", "configs"] {
        if let Some(uses) = from[key].as_array() {
            let uses: Result<Vec<Value>, String> =
                uses.iter().map(|file| file_use(file, key)).collect();
            out.insert(key.to_owned(), uses?.into());
        }
    }
    let deploy = deploy::deploy(from, unknown)?;
    if !deploy.is_empty() {
        out.insert("deploy".to_owned(), Value::Object(deploy));
    }
    Ok(Value::Object(out))
}

/// What a stack has in another form.
fn rewritten(from: &Value, out: &mut Map<String, Value>) {
    let mut put = |key: &str, value: Value| drop(out.insert(key.to_owned(), value));
    if from["build"].is_object() {
        let same = ["context", "dockerfile", "args", "labels", "cache_from", "network", "target"];
        put("build", Value::Object(chosen(&from["build"], &same)));
    }
    if let Some(depends) = from["depends_on"].as_object() {
        put("depends_on", depends.keys().cloned().collect());
    }
    if let Some(hosts) = from["extra_hosts"].as_array() {
        let host = |host: &Value| host.as_str().map(|text| Value::from(text.replacen('=', ":", 1)));
        put("extra_hosts", hosts.iter().filter_map(host).collect());
    }
    if let Some(devices) = from["devices"].as_array() {
        let device = |d: &Value| {
            let part = |key: &str| d[key].as_str().unwrap_or_default().to_owned();
            Value::from(format!("{}:{}:{}", part("source"), part("target"), part("permissions")))
        };
        put("devices", devices.iter().map(device).collect());
    }
    if let Some(mounts) = from["volumes"].as_array() {
        put("volumes", mounts.iter().map(mount).collect());
    }
}

/// The entries of a mapping with these keys.
fn chosen(from: &Value, keys: &[&str]) -> Map<String, Value> {
    let entry = |key: &&str| Some(((*key).to_owned(), from.get(*key)?.clone()));
    keys.iter().filter_map(entry).collect()
}

/// How a service is on a network.
fn network(from: &Value, unknown: &mut BTreeSet<String>) -> Value {
    let known = ["aliases", "driver_opts", "ipv4_address", "ipv6_address"];
    let Some(map) = from.as_object() else { return Value::Null };
    let more = map.keys().filter(|key| !known.contains(&key.as_str()));
    unknown.extend(more.map(|key| format!("networks.{key}")));
    Value::Object(chosen(from, &known))
}

/// One published port; of a range, the first.
fn port(from: &Value) -> Result<Value, String> {
    let mut out = chosen(from, &["mode", "target", "protocol"]);
    let published = from["published"].as_str().unwrap_or_default();
    if !published.is_empty() {
        let number: u16 = published.parse().map_err(|_| {
            format!("ports: published: a service needs one port, not {published:?}")
        })?;
        out.insert("published".to_owned(), number.into());
    }
    Ok(Value::Object(out))
}

fn mount(from: &Value) -> Value {
    let mut out = chosen(from, &["type", "source", "target", "read_only", "consistency"]);
    let parts = [
        ("bind", &["propagation"][..]),
        ("volume", &["nocopy", "subpath"][..]),
        ("tmpfs", &["size"][..]),
    ];
    for (part, keys) in parts {
        let mut kept = chosen(&from[part], keys);
        if let Some(size) = kept.get_mut("size")
            && let Some(number) = size.as_str().and_then(|text| text.parse::<i64>().ok())
        {
            *size = number.into();
        }
        if !kept.is_empty() {
            out.insert(part.to_owned(), Value::Object(kept));
        }
    }
    Value::Object(out)
}

fn file_use(from: &Value, section: &str) -> Result<Value, String> {
    let mut out = from.as_object().cloned().unwrap_or_default();
    if let Some(mode) = out.get("mode").and_then(Value::as_str) {
        let mode =
            i64::from_str_radix(mode, 8).map_err(|_| format!("{section}: mode: {mode:?}"))?;
        out.insert("mode".to_owned(), mode.into());
    }
    // Compose writes out where a secret is by default.
    let usual =
        format!("/run/secrets/{}", out.get("source").and_then(Value::as_str).unwrap_or_default());
    if section == "secrets" && out.get("target").and_then(Value::as_str) == Some(&usual) {
        out.remove("target");
    }
    Ok(Value::Object(out))
}
