//! Which services make up the project: those whose profiles are enabled, and of these those
//! that were asked for, with what they depend on. What nobody uses is left out.

use std::collections::BTreeSet;

use coracle_runtime::names::nearest;

use crate::tree::{Fault, Map, Node};

/// Services of a project, by whether they take part.
#[derive(Debug, Default, Clone)]
pub(crate) struct Services {
    pub(crate) enabled: Map,
    pub(crate) disabled: Map,
}

impl Services {
    /// Splits by profile. Services without profiles always take part.
    pub(crate) fn by_profile(all: Map, profiles: &[String]) -> Self {
        let mut out = Self::default();
        for (name, service) in all {
            let own = texts(&service, "profiles");
            let enabled = own.is_empty()
                || profiles.iter().any(|profile| profile == "*" || own.contains(&profile.as_str()));
            let side = if enabled { &mut out.enabled } else { &mut out.disabled };
            side.insert(name, service);
        }
        out
    }

    /// Enables the profiles of services that were named, and says which profiles are on now.
    pub(crate) fn enable(self, names: &[String], profiles: &[String]) -> (Self, Vec<String>) {
        let mut profiles = profiles.to_vec();
        for name in names {
            let service = self.disabled.get(name).into_iter();
            let own = service.flat_map(|service| texts(service, "profiles"));
            profiles.extend(own.map(str::to_owned));
        }
        let mut all = self.enabled;
        all.extend(self.disabled);
        (Self::by_profile(all, &profiles), profiles)
    }

    /// Keeps these services and their dependencies; all when none is named. A name may be a
    /// pattern with `*` and `?`.
    pub(crate) fn keep(&mut self, names: &[String]) -> Result<(), Fault> {
        if names.is_empty() {
            return Ok(());
        }
        let mut wanted = BTreeSet::new();
        for name in names {
            let matching: Vec<&String> =
                self.enabled.keys().filter(|known| matches(name, known)).collect();
            if matching.is_empty() {
                let fault = Fault::plain(format!("no such service: {name}"));
                let known = self.enabled.keys().chain(self.disabled.keys());
                return Err(match nearest(name, known.map(String::as_str)) {
                    Some(near) => fault.hint(format!("did you mean {near:?}?")),
                    None => fault,
                });
            }
            self.with_dependencies(matching, &mut wanted).map_err(Fault::plain)?;
        }
        let names: Vec<String> = self.enabled.keys().cloned().collect();
        for name in names.into_iter().filter(|name| !wanted.contains(name)) {
            if let Some(service) = self.enabled.remove(&name) {
                self.disabled.insert(name, service);
            }
        }
        for service in self.enabled.values_mut() {
            let depends_on = service.get_mut("depends_on").and_then(Node::as_map_mut);
            if let Some(dependencies) = depends_on {
                dependencies.retain(|name, _| wanted.contains(name));
            }
        }
        Ok(())
    }

    /// Adds services and all they depend on, near and far.
    fn with_dependencies(
        &self,
        names: Vec<&String>,
        out: &mut BTreeSet<String>,
    ) -> Result<(), String> {
        let mut open = names;
        while let Some(name) = open.pop() {
            let Some(service) = self.enabled.get(name) else { continue };
            if !out.insert(name.clone()) {
                continue;
            }
            for (dependency, how) in service.get("depends_on").into_iter().flat_map(Node::entries) {
                let required = how.get("required").and_then(Node::as_bool) != Some(false);
                if required && !self.enabled.contains_key(dependency) {
                    return Err(format!("no such service: {dependency}"));
                }
                open.push(dependency);
            }
        }
        Ok(())
    }
}

/// The texts of a list attribute.
pub(crate) fn texts<'a>(node: &'a Node, key: &str) -> Vec<&'a str> {
    node.get(key).into_iter().flat_map(Node::items).filter_map(Node::as_text).collect()
}

/// `*` and `?` as in names of files.
fn matches(pattern: &str, name: &str) -> bool {
    let (mut p, mut n) = (pattern.as_bytes(), name.as_bytes());
    let mut retry: Option<(&[u8], &[u8])> = None;
    loop {
        match (p.first(), n.first()) {
            (Some(b'*'), _) => {
                retry = Some((&p[1..], n));
                p = &p[1..];
            }
            (Some(a), Some(b)) if a == b || *a == b'?' => {
                p = &p[1..];
                n = &n[1..];
            }
            (None, None) => return true,
            _ => match retry {
                Some((rest, from)) if !from.is_empty() => {
                    p = rest;
                    n = &from[1..];
                    retry = Some((rest, n));
                }
                _ => return false,
            },
        }
    }
}

/// Drops networks, volumes, secrets, configs and models that no service refers to.
pub(crate) fn drop_unused(root: &mut Node, services: &Map) {
    let mut used: [BTreeSet<String>; 5] = Default::default();
    let [networks, volumes, secrets, configs, models] = &mut used;
    for service in services.values() {
        let keys = |key: &str| {
            let node = service.get(key);
            node.into_iter().flat_map(Node::entries).map(|(key, _)| key.clone()).collect::<Vec<_>>()
        };
        networks.extend(keys("networks"));
        models.extend(keys("models"));
        for mount in service.get("volumes").into_iter().flat_map(Node::items) {
            if mount.get("type").and_then(Node::as_text) == Some("volume") {
                volumes.extend(source(mount));
            }
        }
        let sources = |node: Option<&Node>| {
            node.into_iter().flat_map(Node::items).filter_map(source).collect::<Vec<_>>()
        };
        secrets.extend(sources(service.get("secrets")));
        secrets.extend(sources(service.get("build").and_then(|build| build.get("secrets"))));
        configs.extend(sources(service.get("configs")));
    }
    let sections = ["networks", "volumes", "secrets", "configs", "models"];
    for (section, used) in sections.into_iter().zip(&used) {
        if let Some(map) = root.get_mut(section).and_then(Node::as_map_mut) {
            map.retain(|key, _| used.contains(key));
        }
    }
}

fn source(mount: &Node) -> Option<String> {
    mount.get("source").and_then(Node::as_text).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns() {
        for (pattern, name, fits) in [
            ("web", "web", true),
            ("w*", "web", true),
            ("*b", "web", true),
            ("w?b", "web", true),
            ("*", "web", true),
            ("w*x*", "web", false),
            ("we", "web", false),
            ("*e*", "web", true),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern}");
        }
    }
}
