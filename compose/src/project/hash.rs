//! The hashes by which changes are noticed, and what of a service they are about.

use serde_json::Value;

use super::{Network, Service, Volume};
use crate::hash;
use crate::schema::{Attr, ROOT};

/// What may change without a new container: how the image is had, how many containers there
/// are, and in which order they start.
const APART: [&str; 5] = ["build", "pull_policy", "scale", "depends_on", "profiles"];

impl Service {
    /// The hash of what makes its containers. `first` is the id of a service's first container:
    /// those whose namespaces and volumes this one shares belong to what it is made of, so that
    /// it is made anew when they are others.
    #[must_use]
    pub fn hash(&self, first: &dyn Fn(&str) -> Option<String>) -> String {
        let mut raw = self.raw.clone();
        for key in ["network_mode", "ipc", "pid"] {
            let mode = raw.get(key).and_then(Value::as_str);
            let id = mode.and_then(|mode| mode.strip_prefix("service:")).and_then(first);
            if let Some(id) = id {
                raw[key] = format!("container:{id}").into();
            }
        }
        let from = raw.get_mut("volumes_from").and_then(Value::as_array_mut);
        for entry in from.into_iter().flatten() {
            let Some(text) = entry.as_str() else { continue };
            let mut words = text.split(':');
            let id = match words.next() {
                Some("container") => words.next().map(str::to_owned),
                name => name.and_then(first),
            };
            if let Some(id) = id {
                *entry = id.into();
            }
        }
        hash::service(&raw)
    }
}

impl Network {
    /// The hash of how it is made.
    #[must_use]
    pub fn hash(&self) -> String {
        hash::network(&self.raw)
    }
}

impl Volume {
    /// The hash of how it is made.
    #[must_use]
    pub fn hash(&self) -> String {
        hash::volume(&self.raw)
    }
}

/// What is built is built for the platform that `DOCKER_DEFAULT_PLATFORM` names, and made anew
/// when it names another; of what is only run, the image tells.
pub fn add_platform(service: &mut Value, platform: &str) {
    if service.get("build").is_none_or(Value::is_null) || service.get("platform").is_some() {
        return;
    }
    let each = ROOT.entry("services").and_then(|section| section.entry("*"));
    let Some(attrs) = each.and_then(Attr::fields).map(|fields| fields.attrs) else { return };
    let before: Vec<&str> =
        attrs.iter().map(|attr| attr.name).take_while(|name| *name != "platform").collect();
    if let Value::Object(map) = service {
        let at = map.keys().take_while(|key| before.contains(&key.as_str())).count();
        map.shift_insert(at, "platform".to_owned(), platform.into());
    }
}

/// The canonical form of a service without what does not make another container.
#[must_use]
pub fn essence(raw: &Value) -> Value {
    let mut value = raw.clone();
    if let Value::Object(map) = &mut value {
        map.retain(|key, _| !APART.contains(&key.as_str()));
        if let Some(Value::Object(deploy)) = map.get_mut("deploy") {
            deploy.shift_remove("replicas");
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn service(raw: Value) -> Service {
        Service { raw, ..Service::default() }
    }

    #[test]
    fn who_is_shared_with_belongs_to_the_hash() {
        let sharing = service(json!({"image": "a", "network_mode": "service:db", "pid": "host",
            "volumes_from": ["db:ro", "container:other:rw"]}));
        let with = |id: &str| sharing.hash(&|name| (name == "db").then(|| id.to_owned()));
        assert_ne!(with("1"), with("2"));
        let resolved = json!({"image": "a", "network_mode": "container:1", "pid": "host",
            "volumes_from": ["1", "other"]});
        assert_eq!(with("1"), hash::service(&resolved));
    }

    #[test]
    fn numbers_of_containers_do_not_belong_to_it() {
        let (none, two) = (
            json!({"image": "a", "deploy": {"replicas": 0}}),
            json!({"image": "a", "deploy": {"replicas": 2}}),
        );
        let (none, two) = (service(none), service(two));
        assert_eq!(none.hash(&|_| None), two.hash(&|_| None));
        assert_eq!(none.raw["deploy"]["replicas"], 0, "and stay as they are");
    }

    #[test]
    fn only_what_is_built_has_the_default_platform_in_it() {
        let with = |mut raw: Value| {
            add_platform(&mut raw, "linux/arm64");
            raw
        };
        let built =
            with(json!({"build": {"context": "."}, "init": true, "ports": [], "tty": true}));
        let keys: Vec<&String> = built.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["build", "init", "platform", "ports", "tty"]);
        for kept in [json!({"image": "a"}), json!({"build": {}, "platform": "linux/amd64"})] {
            assert_eq!(with(kept.clone()), kept);
        }
    }
}
