//! The networks of a stack: those that its services are on.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{flag, labels, pairs, scoped, text, texts};

/// The one that services are on when they name none.
pub(super) const DEFAULT: &str = "default";
/// Always there, on every node.
const PREDEFINED: [&str; 4] = ["host", "bridge", "none", "default"];

/// A network to be made unless it is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    pub name: String,
    pub driver: String,
    pub options: BTreeMap<String, String>,
    pub labels: BTreeMap<String, String>,
    pub internal: bool,
    pub attachable: bool,
    pub ipam_driver: String,
    pub subnets: Vec<String>,
    pub ipv6: bool,
}

/// Those to be made, by name, and the names of those that must be there.
#[must_use]
pub fn networks(config: &Value, stack: &str) -> (Vec<Wanted>, Vec<String>) {
    let mut used = BTreeSet::new();
    for service in config["services"].as_object().into_iter().flat_map(|map| map.values()) {
        match service["networks"].as_object().filter(|map| !map.is_empty()) {
            Some(map) => used.extend(map.keys().map(String::as_str)),
            None => drop(used.insert(DEFAULT)),
        }
    }
    let (mut wanted, mut external) = (Vec::new(), Vec::new());
    for key in used {
        let network = &config["networks"][key];
        if flag(&network["external"]) {
            external.push(text(&network["name"]));
            continue;
        }
        let name = text(&network["name"]);
        let pools = network["ipam"]["config"].as_array().into_iter().flatten();
        wanted.push(Wanted {
            name: if name.is_empty() { scoped(stack, key) } else { name },
            driver: Some(text(&network["driver"]))
                .filter(|d| !d.is_empty())
                .unwrap_or_else(|| "overlay".to_owned()),
            options: pairs(&network["driver_opts"]),
            labels: labels(&network["labels"], stack),
            internal: flag(&network["internal"]),
            attachable: flag(&network["attachable"]),
            ipam_driver: text(&network["ipam"]["driver"]),
            subnets: pools.map(|pool| text(&pool["subnet"])).filter(|s| !s.is_empty()).collect(),
            ipv6: flag(&network["enable_ipv6"]),
        });
    }
    (wanted, external)
}

/// Whether a network is one that a user made.
#[must_use]
pub fn is_users(name: &str) -> bool {
    !PREDEFINED.contains(&name) && !name.starts_with("container:")
}

/// What a service of the name `own` is on: targets by name, with its names there, sorted.
pub(super) fn of_service(
    service: &Value,
    config: &Value,
    stack: &str,
    own: &str,
) -> Result<Vec<crate::model::task::NetworkUse>, super::StackError> {
    let only_default = serde_json::json!({ DEFAULT: {} });
    let networks = match service["networks"].as_object() {
        Some(map) if !map.is_empty() => map,
        _ => only_default.as_object().unwrap_or_else(|| unreachable!("a mapping")),
    };
    let mut out = Vec::new();
    for (key, how) in networks {
        let network = config["networks"].get(key);
        if network.is_none() && key != DEFAULT {
            return super::StackError::client(format!("undefined network {key:?}"));
        }
        let name = network.map(|network| text(&network["name"])).unwrap_or_default();
        let target = if name.is_empty() { scoped(stack, key) } else { name };
        let mut aliases = texts(&how["aliases"]);
        if is_users(&target) {
            aliases.push(own.to_owned());
        }
        out.push(crate::model::task::NetworkUse {
            target,
            aliases,
            driver_opts: pairs(&how["driver_opts"]),
        });
    }
    out.sort_by(|a, b| a.target.cmp(&b.target));
    Ok(out)
}
