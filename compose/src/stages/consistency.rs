//! What attributes say of each other: references that lead nowhere, settings that exclude each
//! other, circles of dependencies.

use std::collections::{HashMap, HashSet};

use super::select::{Services, texts};
use crate::tree::{Fault, Map, Node, Path, Result};

/// Checks the services that take part, and what they refer to.
pub(crate) fn check(root: &Node, services: &Services) -> Result<()> {
    let section = Path::ROOT.key("services");
    for (name, service) in &services.enabled {
        let path = section.key(name);
        let checker = Checker { root, services, service, path: &path, name };
        checker.image()?;
        checker.build()?;
        checker.networks()?;
        checker.dependencies()?;
        checker.references()?;
        checker.limits()?;
        checker.scale()?;
        checker.watch()?;
        checker.mounts()?;
    }
    for (name, secret) in root.get("secrets").into_iter().flat_map(Node::entries) {
        let given =
            |key: &str| secret.get(key).and_then(Node::as_text).is_some_and(|t| !t.is_empty());
        let external = secret.get("external").and_then(Node::as_bool) == Some(true);
        if !external && !given("file") && !given("environment") {
            let secrets = Path::ROOT.key("secrets");
            let text = "must declare either `file` or `environment`";
            return Err(Fault::new(secret.at, &secrets.key(name), text));
        }
    }
    no_circles(&services.enabled)
}

/// Names of containers may be used once.
pub(crate) fn container_names(services: &Map) -> Result<()> {
    let mut known: HashMap<&str, &str> = HashMap::new();
    for (name, service) in services {
        let Some(container) = service.get("container_name") else { continue };
        let text = container.as_text().unwrap_or_default();
        if let Some(other) = known.insert(text, name) {
            let section = Path::ROOT.key("services");
            let path = section.key(name);
            let message = format!("container name {text:?} is already in use by service {other}");
            return Err(Fault::new(container.at, &path.key("container_name"), message));
        }
    }
    Ok(())
}

struct Checker<'a> {
    root: &'a Node,
    services: &'a Services,
    service: &'a Node,
    path: &'a Path<'a>,
    name: &'a str,
}

impl Checker<'_> {
    fn get(&self, key: &str) -> Option<&Node> {
        self.service.get(key)
    }

    fn text(&self, key: &str) -> &str {
        self.get(key).and_then(Node::as_text).unwrap_or_default()
    }

    /// A fault at an attribute, which may be one of another.
    fn fault(&self, key: &str, message: impl Into<String>) -> Fault {
        let node = key.split('.').try_fold(self.service, |node, part| node.get(part));
        let at = node.map_or(self.service.at, |node| node.at);
        Fault::new(at, &self.path.key(key), message)
    }

    fn image(&self) -> Result<()> {
        if self.get("build").is_none()
            && self.text("image").is_empty()
            && self.get("provider").is_none()
        {
            let text = format!(
                "service {:?} has neither an image nor a build context specified",
                self.name
            );
            return Err(Fault::new(self.service.at, self.path, text));
        }
        Ok(())
    }

    fn build(&self) -> Result<()> {
        let Some(build) = self.get("build") else { return Ok(()) };
        let given =
            |key: &str| build.get(key).and_then(Node::as_text).is_some_and(|t| !t.is_empty());
        if given("dockerfile_inline") && given("dockerfile") {
            return Err(self.fault("build", "dockerfile and dockerfile_inline exclude each other"));
        }
        let contexts = build.get("additional_contexts");
        for (context, value) in contexts.into_iter().flat_map(Node::entries) {
            let Some(target) = value.as_text().and_then(|text| text.strip_prefix("service:"))
            else {
                continue;
            };
            let fault = |what: &str| {
                let text = format!("additional context {context} is the {what} service {target:?}");
                Err(Fault::new(value.at, &self.path.key("build.additional_contexts"), text))
            };
            match self.services.enabled.get(target) {
                None => return fault("unknown"),
                Some(target) if target.get("build").is_none() => return fault("non-buildable"),
                Some(_) => {}
            }
        }
        let (platform, platforms) = (self.text("platform"), texts(build, "platforms"));
        if !platform.is_empty() && !platforms.is_empty() && !platforms.contains(&platform) {
            let text = format!("build.platforms must include the service's platform {platform:?}");
            return Err(self.fault("platform", text));
        }
        Ok(())
    }

    fn networks(&self) -> Result<()> {
        let networks = self.get("networks").and_then(Node::as_map);
        let any = networks.is_some_and(|networks| !networks.is_empty());
        if !self.text("network_mode").is_empty() && any {
            let text = "`network_mode` and `networks` are mutually exclusive";
            return Err(self.fault("network_mode", text));
        }
        for (network, at) in networks.into_iter().flatten() {
            if !self.knows("networks", network) {
                return Err(self.undefined("networks", network, at, "network"));
            }
        }
        Ok(())
    }

    fn knows(&self, section: &str, name: &str) -> bool {
        self.root.get(section).is_some_and(|section| section.get(name).is_some())
    }

    fn undefined(&self, key: &str, name: &str, node: &Node, what: &str) -> Fault {
        let text = format!("service {:?} refers to undefined {what} {name}", self.name);
        Fault::new(node.at, &self.path.key(key), text)
            .hint(format!("define it below the top-level key `{key}`"))
    }

    fn dependencies(&self) -> Result<()> {
        let test = self.get("healthcheck").map(|check| texts(check, "test"));
        if let Some(first) = test.and_then(|test| test.first().copied())
            && !["CMD", "CMD-SHELL", "NONE"].contains(&first)
        {
            let text = format!("test must start with CMD, CMD-SHELL or NONE, not {first:?}");
            return Err(self.fault("healthcheck", text));
        }
        self.implied()?;
        for (name, how) in self.get("depends_on").into_iter().flat_map(Node::entries) {
            if self.services.enabled.contains_key(name) {
                continue;
            }
            let disabled = self.services.disabled.get(name);
            let required = how.get("required").and_then(Node::as_bool) == Some(true);
            if disabled.is_some() && !required {
                continue;
            }
            let text = format!("service {:?} depends on undefined service {name:?}", self.name);
            let fault = Fault::new(how.at, &self.path.key("depends_on"), text);
            return Err(match disabled {
                Some(service) => fault.hint(with_profile(service)),
                None => fault,
            });
        }
        Ok(())
    }

    /// Services that other attributes than `depends_on` need: the mistake is where they are named.
    fn implied(&self) -> Result<()> {
        let service = |key: &str, node: &Node, name: &str| {
            if self.services.enabled.contains_key(name) {
                return Ok(());
            }
            let how = self.get("depends_on").and_then(|known| known.get(name));
            let optional = how.and_then(|how| how.get("required")).and_then(Node::as_bool);
            let disabled = self.services.disabled.contains_key(name);
            if key != "network_mode" && (how.is_none() || (disabled && optional == Some(false))) {
                return Ok(());
            }
            let text = format!("service {:?} depends on undefined service {name:?}", self.name);
            let fault = Fault::new(node.at, &self.path.key(key), text);
            Err(match self.services.disabled.get(name) {
                Some(service) => fault.hint(with_profile(service)),
                None => fault,
            })
        };
        for key in ["network_mode", "ipc", "pid", "uts", "cgroup"] {
            let Some(node) = self.get(key) else { continue };
            if let Some(name) = node.as_text().and_then(|mode| mode.strip_prefix("service:")) {
                service(key, node, name)?;
            }
        }
        for key in ["links", "volumes_from"] {
            for item in self.get(key).into_iter().flat_map(Node::items) {
                let text = item.as_text().unwrap_or_default();
                let name = text.split(':').next().unwrap_or_default();
                if name != "container" || key == "links" {
                    service(key, item, name)?;
                }
            }
        }
        Ok(())
    }

    fn references(&self) -> Result<()> {
        let items = |node: Option<&Node>| node.and_then(Node::as_list).unwrap_or_default().to_vec();
        let source =
            |node: &Node| node.get("source").and_then(Node::as_text).unwrap_or_default().to_owned();
        for mount in items(self.get("volumes")) {
            let name = source(&mount);
            let is_volume = mount.get("type").and_then(Node::as_text) == Some("volume");
            if is_volume && !name.is_empty() && !self.knows("volumes", &name) {
                return Err(self.undefined("volumes", &name, &mount, "volume"));
            }
        }
        for secret in items(self.get("build").and_then(|build| build.get("secrets"))) {
            let name = source(&secret);
            if !self.knows("secrets", &name) {
                return Err(self.undefined("secrets", &name, &secret, "build secret"));
            }
        }
        for (section, what) in [("configs", "config"), ("secrets", "secret")] {
            for object in items(self.get(section)) {
                let name = source(&object);
                if !self.knows(section, &name) {
                    return Err(self.undefined(section, &name, &object, what));
                }
            }
        }
        for (model, node) in self.get("models").into_iter().flat_map(Node::entries) {
            if !self.knows("models", model) {
                return Err(self.undefined("models", model, node, "model"));
            }
        }
        Ok(())
    }

    /// Old attributes and those of `deploy` that mean the same.
    fn limits(&self) -> Result<()> {
        let resources = self.get("deploy").and_then(|deploy| deploy.get("resources"));
        for (old, section, new) in [
            ("cpus", "limits", "cpus"),
            ("mem_limit", "limits", "memory"),
            ("mem_reservation", "reservations", "memory"),
            ("pids_limit", "limits", "pids"),
        ] {
            let Some(value) = self.get(old).map(as_number).filter(|value| *value != 0.0) else {
                continue;
            };
            let Some(section_node) = resources.and_then(|node| node.get(section)) else { continue };
            let other = section_node.get(new).map_or(0.0, as_number);
            if other != value {
                let text = format!("'{old}' and 'deploy.resources.{section}.{new}' differ");
                return Err(self.fault(old, text).hint("give one of them, or the same value"));
            }
        }
        Ok(())
    }

    fn scale(&self) -> Result<()> {
        let scale = self.get("scale").and_then(Node::as_int);
        let deploy = self.get("deploy");
        let replicas = deploy.and_then(|deploy| deploy.get("replicas")).and_then(Node::as_int);
        if let (Some(scale), Some(replicas)) = (scale, replicas)
            && scale != replicas
        {
            return Err(self.fault("scale", "'scale' and 'deploy.replicas' differ"));
        }
        for (key, count) in [("scale", scale), ("deploy.replicas", replicas)] {
            if count.is_some_and(|count| count < 0) {
                return Err(self.fault(key, "must be greater than or equal to 0"));
            }
        }
        let count = scale.or(replicas).unwrap_or(1);
        if count > 1 && !self.text("container_name").is_empty() {
            let attribute = if scale.is_some() { "scale" } else { "deploy.replicas" };
            let text = format!("excludes {attribute} {count}: names of containers are unique");
            return Err(self.fault("container_name", text));
        }
        Ok(())
    }

    fn watch(&self) -> Result<()> {
        let rules = self.get("develop").and_then(|develop| develop.get("watch"));
        for rule in rules.into_iter().flat_map(Node::items) {
            let field = |key: &str| rule.get(key).and_then(Node::as_text).unwrap_or_default();
            if field("target").is_empty() && !["rebuild", "restart"].contains(&field("action")) {
                let text = format!("target is required for action {:?}", field("action"));
                return Err(Fault::new(rule.at, &self.path.key("develop.watch"), text));
            }
        }
        Ok(())
    }

    /// Two things cannot be at one place.
    fn mounts(&self) -> Result<()> {
        let mut known: HashMap<String, String> = HashMap::new();
        let tmpfs = self.get("tmpfs").into_iter().flat_map(Node::items).enumerate();
        let tmpfs = tmpfs.map(|(index, node)| {
            let text = node.as_text().unwrap_or_default();
            let target = text.split(':').next().unwrap_or_default();
            (format!("tmpfs[{index}]"), target, node.at)
        });
        let volumes = self.get("volumes").into_iter().flat_map(Node::items).enumerate();
        let volumes = volumes.map(|(index, node)| {
            let target = node.get("target").and_then(Node::as_text).unwrap_or_default();
            (format!("volumes[{index}]"), target, node.at)
        });
        for (place, target, at) in tmpfs.chain(volumes) {
            if let Some(other) = known.insert(target.to_owned(), place.clone()) {
                let text = format!("target {target} already mounted as {}.{other}", self.path);
                return Err(Fault::new(at, &self.path.key(&place), text));
            }
        }
        Ok(())
    }
}

/// How a service that is disabled is had.
fn with_profile(service: &Node) -> String {
    format!("it exists with --profile {}", texts(service, "profiles").join(" or "))
}

fn as_number(node: &Node) -> f64 {
    match node.value {
        crate::tree::Value::Int(value) => value as f64,
        crate::tree::Value::Float(value) => value,
        _ => 0.0,
    }
}

/// Follows dependencies from every service; a name met again on the way closes a circle. With a
/// stack of its own: chains may be as long as files are.
fn no_circles(services: &Map) -> Result<()> {
    let mut done: HashSet<&str> = HashSet::new();
    for start in services.keys() {
        let mut way = vec![start.as_str()];
        let mut open = vec![dependencies(services, start)];
        let mut on_way: HashSet<&str> = HashSet::from([start.as_str()]);
        while let Some(rest) = open.last_mut() {
            let Some(name) = rest.next() else {
                open.pop();
                if let Some(name) = way.pop() {
                    on_way.remove(name);
                    done.insert(name);
                }
                continue;
            };
            if on_way.contains(name) {
                return Err(circle(services, &way, name));
            }
            if services.contains_key(name) && !done.contains(name) {
                way.push(name);
                on_way.insert(name);
                open.push(dependencies(services, name));
            }
        }
    }
    Ok(())
}

fn dependencies<'a>(services: &'a Map, name: &str) -> impl Iterator<Item = &'a str> {
    let service = services.get(name).and_then(|service| service.get("depends_on"));
    service.into_iter().flat_map(Node::entries).map(|(name, _)| name.as_str())
}

fn circle(services: &Map, way: &[&str], name: &str) -> Fault {
    let start = way.iter().position(|known| *known == name).unwrap_or(0);
    let circle: Vec<&str> = way[start..].iter().copied().chain([name]).collect();
    let at = services.get(name).map(|node| node.at).unwrap_or_default();
    let text = format!("dependency cycle detected: {}", circle.join(" -> "));
    Fault::new(at, &Path::ROOT.key("services").key(name), text)
}
