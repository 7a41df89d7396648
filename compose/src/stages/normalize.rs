//! Makes explicit what the format implies: the default network, dependencies that links and
//! shared namespaces bring, names of resources.

use std::collections::BTreeMap;

use coracle_words::strconv::parse_bool;

use super::merge::shown;
use crate::limits::Budget;
use crate::text::volume::clean;
use crate::tree::{At, Fault, Map, Node, Result, Value};

/// Variables of the project that stand behind bare keys.
type Variables = BTreeMap<String, String>;

pub(crate) fn normalize(
    root: &mut Node,
    project: &str,
    variables: &Variables,
    budget: &Budget,
) -> Result<()> {
    let at = root.at;
    let mut uses_default = false;
    if let Some(services) = root.get_mut("services").and_then(Node::as_map_mut) {
        for service in services.values_mut() {
            uses_default |= connect(service);
            implied_values(service, variables, budget)?;
            implied_dependencies(service);
            implied_images(service);
        }
    }
    if uses_default && let Some(root) = root.as_map_mut() {
        let networks = root.entry("networks".to_owned()).or_insert_with(|| Node::empty_map(at));
        if networks.is_null() {
            networks.value = Value::Map(Map::new());
        }
        if let Some(networks) = networks.as_map_mut() {
            networks.entry("default".to_owned()).or_insert_with(|| Node::null(at));
        }
    }
    name_resources(root, project);
    Ok(())
}

/// A service that says nothing of networks is on the default one. Tells whether it is.
fn connect(service: &mut Node) -> bool {
    let at = service.at;
    if service.get("provider").is_some() || service.get("network_mode").is_some() {
        return false;
    }
    let Some(service) = service.as_map_mut() else { return false };
    let networks = service.entry("networks".to_owned()).or_insert_with(|| Node::empty_map(at));
    let Some(networks) = networks.as_map_mut() else { return false };
    if networks.is_empty() {
        networks.insert("default".to_owned(), Node::null(at));
    }
    networks.contains_key("default")
}

fn implied_values(service: &mut Node, variables: &Variables, budget: &Budget) -> Result<()> {
    if let Some(policy) = service.get_mut("pull_policy")
        && policy.as_text() == Some("if_not_present")
    {
        policy.value = Value::Text("missing".to_owned());
    }
    if let Some(build) = service.get_mut("build") {
        let at = build.at;
        if let Some(build) = build.as_map_mut() {
            let unset = |build: &Map, key: &str| build.get(key).is_none_or(Node::is_null);
            if unset(build, "context") {
                build.insert("context".to_owned(), Node::text(at, "."));
            }
            if unset(build, "dockerfile") && unset(build, "dockerfile_inline") {
                build.insert("dockerfile".to_owned(), Node::text(at, "Dockerfile"));
            }
            if let Some(args) = build.get_mut("args") {
                resolve(args, variables, false, budget)?;
            }
        }
    }
    if let Some(environment) = service.get_mut("environment") {
        resolve(environment, variables, true, budget)?;
    }
    if let Some(Value::List(volumes)) = service.get_mut("volumes").map(|node| &mut node.value) {
        for volume in volumes {
            if let Some(Value::Text(target)) = volume.get_mut("target").map(|node| &mut node.value)
            {
                *target = clean(target);
            }
        }
    }
    Ok(())
}

/// Keys without a value take that of the project; without one there they stay when `keep`.
fn resolve(node: &mut Node, variables: &Variables, keep: bool, budget: &Budget) -> Result<()> {
    let at = node.at;
    let mut bytes = 0;
    match &mut node.value {
        Value::List(items) => items.retain_mut(|item| match &mut item.value {
            Value::Text(text) if !text.contains('=') => match variables.get(text.as_str()) {
                Some(value) => {
                    bytes += value.len();
                    *text = format!("{text}={value}");
                    true
                }
                None => keep,
            },
            Value::Text(_) => true,
            _ => false,
        }),
        Value::Map(map) => map.retain(|key, value| {
            if value.is_null() {
                match variables.get(key) {
                    Some(found) => {
                        bytes += found.len();
                        value.value = Value::Text(found.clone());
                    }
                    None => return keep,
                }
            }
            true
        }),
        _ => {}
    }
    budget.put_in(bytes).map_err(|message| Fault::in_file(at, message))
}

fn implied_dependencies(service: &mut Node) {
    let at = service.at;
    let mut implied: Vec<(String, bool)> = Vec::new();
    let texts = |key: &'static str| {
        service.get(key).into_iter().flat_map(Node::items).filter_map(Node::as_text)
    };
    for link in texts("links") {
        let parts: Vec<&str> = link.split(':').collect();
        let name = if parts.len() == 2 { parts[0] } else { link };
        implied.push((name.to_owned(), true));
    }
    for namespace in ["network_mode", "ipc", "pid", "uts", "cgroup"] {
        let mode = service.get(namespace).and_then(Node::as_text);
        if let Some(name) = mode.and_then(|mode| mode.strip_prefix("service:")) {
            implied.push((name.to_owned(), true));
        }
    }
    for volume in texts("volumes_from").filter(|volume| !volume.starts_with("container:")) {
        let name = volume.split(':').next().unwrap_or_default();
        implied.push((name.to_owned(), false));
    }
    let Some(service) = service.as_map_mut() else { return };
    if implied.is_empty() {
        return;
    }
    let known = service.entry("depends_on".to_owned()).or_insert_with(|| Node::empty_map(at));
    if let Some(known) = known.as_map_mut() {
        for (name, restart) in implied {
            known.entry(name).or_insert_with(|| dependency(at, restart));
        }
    }
}

/// A step of `pre_start` without an image runs in that of the service.
fn implied_images(service: &mut Node) {
    let image = service.get("image").and_then(Node::as_text).filter(|image| !image.is_empty());
    let Some(image) = image.map(str::to_owned) else { return };
    let Some(Value::List(steps)) = service.get_mut("pre_start").map(|node| &mut node.value) else {
        return;
    };
    for step in steps {
        let at = step.at;
        if let Some(step) = step.as_map_mut() {
            step.entry("image".to_owned()).or_insert_with(|| Node::text(at, &image));
        }
    }
}

fn dependency(at: At, restart: bool) -> Node {
    let condition = Node::text(at, "service_started");
    let (restart, required) = (Node::bool(at, restart), Node::bool(at, true));
    Node::map(at, [("condition", condition), ("restart", restart), ("required", required)])
}

/// What has no name is called after the project and its key; external things after their key.
fn name_resources(root: &mut Node, project: &str) {
    for section in ["networks", "volumes", "configs", "secrets"] {
        let Some(section) = root.get_mut(section).and_then(Node::as_map_mut) else { continue };
        for (key, resource) in section {
            if resource.is_null() {
                resource.value = Value::Map(Map::new());
            }
            let at = resource.at;
            let Some(resource) = resource.as_map_mut() else { continue };
            if resource.get("name").is_none_or(Node::is_null) {
                let external = resource
                    .get("external")
                    .is_some_and(|node| parse_bool(&shown(node)) == Some(true));
                let name = if external { key.clone() } else { format!("{project}_{key}") };
                resource.insert("name".to_owned(), Node::text(at, name));
            }
        }
    }
}
