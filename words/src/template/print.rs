//! How values are written: as Go prints them, and as JSON.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Map, Value};

use super::data::{Context, Data};
use super::value::{Val, Zero};

/// Keys of Docker's documents that hold a map rather than a fixed structure.
const MAPS: &[&str] = &[
    "Annotations",
    "Attributes",
    "Containers",
    "Data",
    "Details",
    "DriverOpts",
    "ExposedPorts",
    "IndexConfigs",
    "Labels",
    "LogOpts",
    "Networks",
    "Options",
    "PortBindings",
    "Ports",
    "Runtimes",
    "StorageOpt",
    "Subnets",
    "Sysctls",
    "Tmpfs",
    "Volumes",
];

/// The key that says how what stands under `name` prints: the `Config` of a log driver is a map,
/// unlike others.
pub(super) fn key_in<'a>(parent: &str, name: &'a str) -> &'a str {
    if (parent, name) == ("LogConfig", "Config") { "LogOpts" } else { name }
}

/// Keys whose value is a pointer; Docker leaves some of them out when unset.
const POINTERS: &[&str] = &[
    "Descriptor",
    "GraphDriver",
    "Health",
    "Healthcheck",
    "HostConfig",
    "IPAMConfig",
    "Identity",
    "ImageManifestDescriptor",
    "Init",
    "MemorySwappiness",
    "NetworkSettings",
    "OomKillDisable",
    "PidsLimit",
    "SizeRootFs",
    "SizeRw",
    "State",
    "StopTimeout",
    "UsageData",
];

/// Keys that Docker leaves out of a document when they are empty.
const LEFT_OUT: &[(&str, Zero)] = &[
    ("Annotations", Zero::Map),
    ("Cmd", Zero::List),
    ("DriverOpts", Zero::Map),
    ("Entrypoint", Zero::List),
    ("Env", Zero::List),
    ("ExposedPorts", Zero::Map),
    ("GraphDriver", Zero::Pointer),
    ("Health", Zero::Pointer),
    ("Healthcheck", Zero::Pointer),
    ("ImageManifestDescriptor", Zero::Pointer),
    ("Init", Zero::Pointer),
    ("Labels", Zero::Map),
    ("OnBuild", Zero::List),
    ("Shell", Zero::List),
    ("SizeRootFs", Zero::Pointer),
    ("SizeRw", Zero::Pointer),
    ("Status", Zero::Map),
    ("StopSignal", Zero::Text),
    ("StopTimeout", Zero::Pointer),
    ("StorageOpt", Zero::Map),
    ("Sysctls", Zero::Map),
    ("Tmpfs", Zero::Map),
    ("UsageData", Zero::Pointer),
    ("User", Zero::Text),
    ("Variant", Zero::Text),
    ("Volumes", Zero::Map),
    ("WorkingDir", Zero::Text),
];

/// The same of the objects of a swarm, at their top.
const LEFT_OUT_OF_SWARM: &[(&str, Zero)] = &[
    ("JobStatus", Zero::Pointer),
    ("ManagerStatus", Zero::Pointer),
    ("NetworksAttachments", Zero::List),
    ("PreviousSpec", Zero::Pointer),
    ("ServiceStatus", Zero::Pointer),
    ("UpdateStatus", Zero::Pointer),
];

/// And in their parts.
const LEFT_OUT_OF_SPECS: &[(&str, Zero)] = &[
    ("Aliases", Zero::List),
    ("Args", Zero::List),
    ("CapabilityAdd", Zero::List),
    ("CapabilityDrop", Zero::List),
    ("Command", Zero::List),
    ("Configs", Zero::List),
    ("Constraints", Zero::List),
    ("ContainerStatus", Zero::Pointer),
    ("DNSConfig", Zero::Pointer),
    ("Delay", Zero::Pointer),
    ("Dir", Zero::Text),
    ("EndpointSpec", Zero::Pointer),
    ("Err", Zero::Text),
    ("Global", Zero::Pointer),
    ("GlobalJob", Zero::Pointer),
    ("Groups", Zero::List),
    ("Hostname", Zero::Text),
    ("Hosts", Zero::List),
    ("Limits", Zero::Pointer),
    ("LogDriver", Zero::Pointer),
    ("MaxAttempts", Zero::Pointer),
    ("Mounts", Zero::List),
    ("Networks", Zero::List),
    ("Placement", Zero::Pointer),
    ("Ports", Zero::List),
    ("Preferences", Zero::List),
    ("Privileges", Zero::Pointer),
    ("Replicated", Zero::Pointer),
    ("ReplicatedJob", Zero::Pointer),
    ("Reservations", Zero::Pointer),
    ("Resources", Zero::Pointer),
    ("RestartPolicy", Zero::Pointer),
    ("RollbackConfig", Zero::Pointer),
    ("Secrets", Zero::List),
    ("StopGracePeriod", Zero::Pointer),
    ("Templating", Zero::Pointer),
    ("Ulimits", Zero::List),
    ("UpdateConfig", Zero::Pointer),
    ("VirtualIPs", Zero::List),
    ("Window", Zero::Pointer),
];

/// The same for parts of a document only: at its top these are always there, or unknown.
const LEFT_OUT_BELOW: [&str; 5] = ["Driver", "Name", "Source", "User", "WorkingDir"];

/// How a null under this key prints.
pub(super) fn zero_of(key: &str) -> Zero {
    if MAPS.contains(&key) {
        Zero::Map
    } else if POINTERS.contains(&key) {
        Zero::Pointer
    } else {
        Zero::List
    }
}

/// The value of a key that may be absent, if it is one of those.
pub(super) fn optional(key: &str, parent: &str, at_root: bool) -> Option<Zero> {
    if !at_root && LEFT_OUT_BELOW.contains(&key) {
        return Some(Zero::Text);
    }
    // The configuration of a container or an image is no part of a swarm.
    let of_specs = if at_root || parent == "Config" { &[] } else { LEFT_OUT_OF_SPECS };
    let mut known = LEFT_OUT.iter().chain(LEFT_OUT_OF_SWARM).chain(of_specs);
    known.find(|(name, _)| *name == key).map(|(_, zero)| *zero)
}

/// Names of fields in Go and the keys that carry them in JSON, where they differ.
const GO_NAMES: [(&str, &[&str]); 13] = [
    ("APIVersion", &["ApiVersion"]),
    ("ID", &["Id", "id"]),
    ("Scope", &["scope"]),
    ("Time", &["time"]),
    ("TimeNano", &["timeNano"]),
    ("From", &["from"]),
    ("Status", &["status"]),
    ("DNS", &["Dns"]),
    ("DNSOptions", &["DnsOptions"]),
    ("DNSSearch", &["DnsSearch"]),
    ("NanoCPUs", &["NanoCpus"]),
    ("CPUShares", &["CpuShares"]),
    ("HostIP", &["HostIp"]),
];

/// The value of a field under the name that Go has for it.
pub(super) fn by_go_name<'a>(map: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let (_, keys) = GO_NAMES.iter().find(|(known, _)| *known == name)?;
    keys.iter().find_map(|key| map.get(*key))
}

/// Go's name of a JSON value's type.
pub(super) fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(n) if n.is_f64() => "float64",
        Value::Number(_) => "int",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

/// What an action writes for a value.
pub(super) fn display(value: &Val, data: Data<'_>) -> String {
    match value {
        Val::Null(Zero::List) => "[]".into(),
        Val::Null(Zero::Map) => "map[]".into(),
        Val::Null(Zero::Pointer) => "<nil>".into(),
        Val::Null(Zero::Text) => String::new(),
        Val::Null(Zero::Absent) => "<no value>".into(),
        Val::Json(value, key) => {
            let mut out = String::new();
            write_value(&mut out, value, key);
            out
        }
        Val::Root => match data {
            Data::Document { value, .. } | Data::Context(&Context { value, .. }) => {
                let mut out = String::new();
                write_value(&mut out, value, "");
                out
            }
            Data::Fields(fields) => fields.json(),
        },
    }
}

/// Whether Go has a map under this key.
pub(super) fn is_map(key: &str) -> bool {
    MAPS.contains(&key)
}

/// What prints itself in Go, or has members that JSON leaves out.
fn special(key: &str, map: &Map<String, Value>) -> Option<String> {
    ulimit(map).or_else(|| subnet(map)).or_else(|| match key {
        "Platform" => platform(map),
        "Descriptor" => descriptor(map),
        _ => None,
    })
}

/// The addresses of a network. Those that are not given are invalid to Go.
fn subnet(map: &Map<String, Value>) -> Option<String> {
    const KEYS: [&str; 4] = ["Subnet", "IPRange", "Gateway", "AuxiliaryAddresses"];
    if !map.contains_key("Subnet") || !map.keys().all(|key| KEYS.contains(&key.as_str())) {
        return None;
    }
    let text = |key, invalid| match map.get(key).and_then(Value::as_str) {
        None | Some("") => invalid,
        Some(text) => text,
    };
    let mut out = format!(
        "{{{} {} {} ",
        text("Subnet", "invalid Prefix"),
        text("IPRange", "invalid Prefix"),
        text("Gateway", "invalid IP")
    );
    write_map(&mut out, map.get("AuxiliaryAddresses").and_then(Value::as_object));
    out.push('}');
    Some(out)
}

/// `linux/arm64/v8`
fn platform(map: &Map<String, Value>) -> Option<String> {
    let text = |key| map.get(key).and_then(Value::as_str);
    let parts = [text("os")?, text("architecture")?, text("variant").unwrap_or_default()];
    Some(parts.join("/").trim_end_matches('/').to_owned())
}

/// Content as OCI describes it, with what is empty of an image's: addresses, annotations, data,
/// platform and type.
fn descriptor(map: &Map<String, Value>) -> Option<String> {
    let (kind, digest) = (map.get("mediaType")?.as_str()?, map.get("digest")?.as_str()?);
    (map.len() == 3).then(|| format!("{{{kind} {digest} {} [] map[] [] <nil> }}", map["size"]))
}

/// `nofile=1024:2048`: limits of processes print themselves in Go.
fn ulimit(map: &Map<String, Value>) -> Option<String> {
    let number = |key| map.get(key).and_then(Value::as_i64);
    let name = map.get("Name").and_then(Value::as_str).filter(|_| map.len() == 3)?;
    Some(format!("{name}={}:{}", number("Soft")?, number("Hard")?))
}

fn write_value(out: &mut String, value: &Value, key: &str) {
    match value {
        Value::Null => out.push_str(match zero_of(key) {
            Zero::Map => "map[]",
            Zero::Pointer => "<nil>",
            Zero::List | Zero::Text | Zero::Absent => "[]",
        }),
        Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Value::Number(n) => {
            // Writing to a String cannot fail.
            write!(out, "{n}").unwrap_or_default();
        }
        Value::String(s) => out.push_str(s),
        Value::Array(list) => {
            out.push('[');
            for (i, item) in list.iter().enumerate() {
                if i > 0 {
                    out.push(' ');
                }
                write_value(out, item, "");
            }
            out.push(']');
        }
        Value::Object(map) if is_map(key) => write_map(out, Some(map)),
        Value::Object(map) => {
            if let Some(text) = special(key, map) {
                out.push_str(&text);
                return;
            }
            out.push('{');
            for (i, (name, item)) in map.iter().enumerate() {
                if i > 0 {
                    out.push(' ');
                }
                write_value(out, item, key_in(key, name));
            }
            out.push('}');
        }
    }
}

fn write_map(out: &mut String, map: Option<&Map<String, Value>>) {
    let mut entries: Vec<_> = map.into_iter().flatten().collect();
    entries.sort_by_key(|(name, _)| *name);
    out.push_str("map[");
    for (i, (name, item)) in entries.into_iter().enumerate() {
        if i > 0 {
            out.push(' ');
        }
        out.push_str(name);
        out.push(':');
        write_value(out, item, "");
    }
    out.push(']');
}

/// Compact JSON of a value in a template.
pub(super) fn json(value: &Val, data: Data<'_>) -> String {
    match value {
        Val::Null(_) => "null".into(),
        Val::Json(value, _) => value.to_string(),
        Val::Root => match data {
            Data::Document { value, .. } | Data::Context(&Context { value, .. }) => {
                value.to_string()
            }
            Data::Fields(fields) => fields.json(),
        },
    }
}

/// JSON indented by four blanks, as the inspect commands print it.
pub fn indented(value: &Value) -> String {
    let mut out = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, formatter);
    match value.serialize(&mut serializer) {
        Ok(()) => String::from_utf8_lossy(&out).into_owned(),
        Err(_) => value.to_string(),
    }
}

/// Escapes `<`, `>` and `&` inside JSON text, as Go does by default.
pub fn escape_html(json: &str) -> String {
    json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

/// A Go string literal in double quotes.
pub fn go_quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c => push_visible(&mut out, c),
        }
    }
    out.push('"');
    out
}

/// Text for a terminal: what would be a command to it is escaped as in a Go string.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    text.chars().for_each(|c| push_visible(&mut out, c));
    out
}

fn push_visible(out: &mut String, c: char) {
    let written = match c {
        '\n' => out.write_str("\\n"),
        '\t' => out.write_str("\\t"),
        '\r' => out.write_str("\\r"),
        '\u{7}' => out.write_str("\\a"),
        '\u{8}' => out.write_str("\\b"),
        '\u{b}' => out.write_str("\\v"),
        '\u{c}' => out.write_str("\\f"),
        c if c.is_ascii_control() => write!(out, "\\x{:02x}", u32::from(c)),
        c if c.is_control() => write!(out, "\\u{:04x}", u32::from(c)),
        c => out.write_char(c),
    };
    // Writing to a String cannot fail.
    written.unwrap_or_default();
}
