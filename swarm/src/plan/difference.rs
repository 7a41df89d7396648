//! What differs between two specs of a service: by the names that the flags have, from the old value to the new one.
//!
//! # How it works
//!
//! Both specs are taken apart in the form that the API has ([`attributes`]): what nobody thought of here is named by
//! its place in that form, and never left out. Lists whose entries have a key of their own are compared by it.
//!
//! # Limits
//!
//! A value that is unset on one side, and nothing or zero on the other, is only told where there is no other difference.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::entry::{cut, file, in_words, mount, network, port, port_key, quoted, text};
use crate::model::ServiceSpec;
use crate::stack::{IMAGE, NAMESPACE};

/// One attribute; `None` is unset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub attribute: String,
    #[serde(default)]
    pub old: Option<String>,
    #[serde(default)]
    pub new: Option<String>,
}

/// The name of a network by its id.
pub type Named<'a> = dyn Fn(&str) -> String + 'a;

/// Places in the API's form, and what they are called.
const CALLED: [(&str, &str); 30] = [
    ("TaskTemplate.ContainerSpec.DNSConfig.Nameservers", "dns"),
    ("TaskTemplate.ContainerSpec.DNSConfig.Options", "dns-option"),
    ("TaskTemplate.ContainerSpec.DNSConfig.Search", "dns-search"),
    ("TaskTemplate.ContainerSpec.Healthcheck.Test", "health-cmd"),
    ("TaskTemplate.ContainerSpec.Healthcheck", "health"),
    ("TaskTemplate.ContainerSpec.CapabilityAdd", "cap-add"),
    ("TaskTemplate.ContainerSpec.CapabilityDrop", "cap-drop"),
    ("TaskTemplate.ContainerSpec.Command", "entrypoint"),
    ("TaskTemplate.ContainerSpec.Dir", "workdir"),
    ("TaskTemplate.ContainerSpec.Env", "env"),
    ("TaskTemplate.ContainerSpec.Groups", "group"),
    ("TaskTemplate.ContainerSpec.Hosts", "host"),
    ("TaskTemplate.ContainerSpec.Labels", "container-label"),
    ("TaskTemplate.ContainerSpec.Sysctls", "sysctl"),
    ("TaskTemplate.ContainerSpec.TTY", "tty"),
    ("TaskTemplate.ContainerSpec.Ulimits", "ulimit"),
    ("TaskTemplate.ContainerSpec", ""),
    ("TaskTemplate.ForceUpdate", "force"),
    ("TaskTemplate.LogDriver.Options", "log-opt"),
    ("TaskTemplate.LogDriver.Name", "log-driver"),
    ("TaskTemplate.Placement.Constraints", "constraint"),
    ("TaskTemplate.Placement.MaxReplicas", "replicas-max-per-node"),
    ("TaskTemplate.Resources.Limits", "limit"),
    ("TaskTemplate.Resources.Reservations", "reserve"),
    ("TaskTemplate.RestartPolicy", "restart"),
    ("UpdateConfig", "update"),
    ("RollbackConfig", "rollback"),
    ("EndpointSpec.Mode", "endpoint-mode"),
    ("Labels", "label"),
    ("Mode.Replicated.Replicas", "replicas"),
];

/// What differs, by attribute.
#[must_use]
pub fn changes(old: &ServiceSpec, new: &ServiceSpec, named: &Named<'_>) -> Vec<Change> {
    let (before, after) = (attributes(old, named), attributes(new, named));
    let is_nothing = |value: &Option<String>| {
        value.as_deref().is_none_or(|value| matches!(value, "" | "0" | "0s" | "false"))
    };
    let told = |change: &Change| {
        let repeats = [IMAGE, NAMESPACE].iter().any(|label| {
            change.attribute.strip_prefix("label.").is_some_and(|attribute| attribute == *label)
        });
        !(repeats || is_nothing(&change.old) && is_nothing(&change.new))
    };
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let all =
        keys.into_iter().filter(|key| before.get(*key) != after.get(*key)).map(|key| Change {
            attribute: key.clone(),
            old: before.get(key).cloned(),
            new: after.get(key).cloned(),
        });
    let all: Vec<Change> = all.collect();
    let plain: Vec<Change> = all.iter().filter(|change| told(change)).cloned().collect();
    if plain.is_empty() { all } else { plain }
}

/// A spec, taken apart.
fn attributes(spec: &ServiceSpec, named: &Named<'_>) -> BTreeMap<String, String> {
    let mut out = Attributes(BTreeMap::new());
    let mut value = serde_json::to_value(spec).unwrap_or_default();
    if let Some(map) = value.as_object_mut() {
        map.remove("Name");
    }
    out.walk(&mut Vec::new(), &value, named);
    out.0
}

struct Attributes(BTreeMap<String, String>);

impl Attributes {
    fn put(&mut self, key: String, value: String) {
        self.0
            .entry(key)
            .and_modify(|there| {
                there.push_str(", ");
                there.push_str(&value);
            })
            .or_insert(value);
    }

    fn walk(&mut self, path: &mut Vec<String>, value: &Value, named: &Named<'_>) {
        let place = path.join(".");
        match (place.as_str(), value) {
            (_, Value::Null) => {}
            (_, Value::Object(map)) => {
                for (key, inner) in map {
                    path.push(key.clone());
                    self.walk(path, inner, named);
                    path.pop();
                }
            }
            (_, Value::Array(list)) => self.list(&place, list, named),
            (_, scalar) => {
                let leaf = path.last().map_or("", String::as_str);
                self.put(called(path), in_words(leaf, scalar));
            }
        }
    }

    /// Entries that have a key are told by it.
    fn list(&mut self, place: &str, list: &[Value], named: &Named<'_>) {
        let kind = place.rsplit('.').next().unwrap_or_default();
        let whole = called(&place.split('.').map(str::to_owned).collect::<Vec<_>>());
        match kind {
            "Env" => {
                for entry in list.iter().filter_map(Value::as_str) {
                    let (name, value) = entry.split_once('=').unwrap_or((entry, ""));
                    self.put(format!("env.{name}"), cut(value));
                }
            }
            "Hosts" => {
                for entry in list.iter().filter_map(Value::as_str) {
                    let (address, name) = entry.split_once(' ').unwrap_or((entry, ""));
                    self.put(format!("host.{name}"), address.to_owned());
                }
            }
            "Mounts" => self.each(list, "mount", |mount| text(&mount["Target"]), mount),
            "Secrets" | "Configs" => {
                let (attribute, object) = match kind {
                    "Secrets" => ("secret", "SecretName"),
                    _ => ("config", "ConfigName"),
                };
                self.each(
                    list,
                    attribute,
                    |used| text(&used["File"]["Name"]),
                    |used| file(used, object),
                );
            }
            "Networks" => {
                self.each(list, "network", |used| named(&text(&used["Target"])), network);
            }
            "Ports" => self.each(list, "publish", port_key, port),
            "Ulimits" => self.each(
                list,
                "ulimit",
                |it| text(&it["Name"]),
                |it| format!("{}:{}", it["Soft"], it["Hard"]),
            ),
            _ if list.is_empty() => {}
            "Args" | "Command" | "Test" => {
                let words: Vec<String> = list.iter().map(|word| quoted(&text(word))).collect();
                self.put(whole, cut(&words.join(" ")));
            }
            _ => {
                let words: Vec<String> = list.iter().map(text).collect();
                self.put(whole, cut(&words.join(", ")));
            }
        }
    }

    fn each(
        &mut self,
        list: &[Value],
        attribute: &str,
        key: impl Fn(&Value) -> String,
        told: impl Fn(&Value) -> String,
    ) {
        for entry in list {
            self.put(format!("{attribute}.{}", key(entry)), told(entry));
        }
    }
}

/// What an attribute is called: by the longest place that has a name, and what is below it.
fn called(path: &[String]) -> String {
    for length in (1..=path.len()).rev() {
        let place = path[..length].join(".");
        let Some((_, name)) = CALLED.iter().find(|(known, _)| *known == place) else { continue };
        let rest = &path[length..];
        let joint = if matches!(*name, "label" | "container-label" | "sysctl" | "log-opt") {
            "."
        } else {
            "-"
        };
        let rest: Vec<String> = match joint {
            "." => rest.to_vec(),
            _ => rest.iter().map(|part| kebab(part)).collect(),
        };
        let rest = rest.join(joint);
        return match (name.is_empty(), rest.is_empty()) {
            (true, _) => rest,
            (_, true) => (*name).to_owned(),
            _ => format!("{name}{joint}{rest}"),
        };
    }
    path.iter().map(|part| kebab(part)).collect::<Vec<_>>().join(".")
}

/// `NanoCPUs` is `cpu` as in flags, `StopGracePeriod` is `stop-grace-period`.
fn kebab(part: &str) -> String {
    match part {
        "NanoCPUs" => return "cpu".to_owned(),
        "MemoryBytes" => return "memory".to_owned(),
        _ => {}
    }
    let mut out = String::new();
    let mut before_is_small = false;
    for letter in part.chars() {
        if letter.is_uppercase() && before_is_small {
            out.push('-');
        }
        before_is_small = letter.is_lowercase();
        out.extend(letter.to_lowercase());
    }
    out
}
