//! Values and entries of lists in a spec, as a person reads them.

use coracle_image::Digest;
use coracle_words::{duration, size};
use serde_json::Value;

/// The longest value that is told whole, in characters.
const VALUE_CHARS_MAX: usize = 100;

/// A value that stands alone; the name of its place says what it counts.
pub(super) fn in_words(leaf: &str, value: &Value) -> String {
    const DURATIONS: [&str; 9] = [
        "Delay",
        "Monitor",
        "Interval",
        "Timeout",
        "StartPeriod",
        "StartInterval",
        "Window",
        "StopGracePeriod",
        "MaxDelay",
    ];
    match value.as_i64() {
        Some(number) if DURATIONS.contains(&leaf) => duration::format(number),
        #[expect(clippy::cast_precision_loss, reason = "a person reads it")]
        Some(number) if leaf == "NanoCPUs" => (number as f64 / 1e9).to_string(),
        Some(number) if matches!(leaf, "MemoryBytes" | "SwapBytes") && number > 0 => {
            size::exact_size(number.unsigned_abs())
        }
        _ => cut(&text(value)),
    }
}

pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

pub(super) fn quoted(word: &str) -> String {
    let plain =
        !word.is_empty() && !word.contains(|c: char| c.is_whitespace() || "\"'\\".contains(c));
    if plain { word.to_owned() } else { format!("{word:?}") }
}

pub(super) fn cut(text: &str) -> String {
    let text = text.replace('\n', "\\n");
    match text.char_indices().nth(VALUE_CHARS_MAX) {
        None => text,
        // Another end must not look like the same value.
        Some((at, _)) => format!("{}… ({})", &text[..at], Digest::of(text.as_bytes()).short()),
    }
}

pub(super) fn mount(mount: &Value) -> String {
    let mut parts = vec![text(&mount["Type"])];
    parts.extend(Some(text(&mount["Source"])).filter(|source| !source.is_empty()));
    if mount["ReadOnly"] == true {
        parts.push("readonly".to_owned());
    }
    let known = ["Type", "Source", "Target", "ReadOnly"];
    for (key, value) in mount.as_object().into_iter().flatten() {
        if !known.contains(&key.as_str()) {
            parts.push(value.to_string());
        }
    }
    parts.join(" ")
}

pub(super) fn file(used: &Value, object: &str) -> String {
    let file = &used["File"];
    let mode = file["Mode"].as_u64().unwrap_or_default();
    let mut out = text(&used[object]);
    let (uid, gid) = (text(&file["UID"]), text(&file["GID"]));
    if (uid.as_str(), gid.as_str(), mode) != ("0", "0", 0o444) {
        out.push_str(&format!(" (uid={uid}, gid={gid}, mode={mode:#o})"));
    }
    out
}

pub(super) fn network(used: &Value) -> String {
    let mut parts: Vec<String> =
        used["Aliases"].as_array().into_iter().flatten().map(text).collect();
    parts.sort();
    let options = used["DriverOpts"].as_object().into_iter().flatten();
    parts.extend(options.map(|(key, value)| format!("{key}={}", text(value))));
    match parts.is_empty() {
        true => "joined".to_owned(),
        false => format!("joined as {}", parts.join(", ")),
    }
}

pub(super) fn port_key(port: &Value) -> String {
    let protocol = Some(text(&port["Protocol"])).filter(|text| !text.is_empty());
    format!(
        "{}/{}",
        port["TargetPort"].as_u64().unwrap_or_default(),
        protocol.as_deref().unwrap_or("tcp")
    )
}

pub(super) fn port(port: &Value) -> String {
    let published = match port["PublishedPort"].as_u64() {
        None | Some(0) => "any port".to_owned(),
        Some(number) => number.to_string(),
    };
    match port["PublishMode"].as_str() {
        None | Some("ingress") => published,
        Some(mode) => format!("{published} ({mode})"),
    }
}
