//! The target of one service.

use std::collections::BTreeMap;

use coracle_builder::bake::{Entry, Kind, Target};

use super::attributes::Attributes;
use super::{BuildFault, Wish, fault};
use crate::project::{Project, Service, labels};

pub(super) fn target(
    project: &Project,
    service: &Service,
    build: &Attributes,
    wish: &Wish,
) -> Result<Target, BuildFault> {
    if !matches!(build.isolation.as_str(), "" | "default") {
        let (service, attribute) = (service.name.clone(), "isolation");
        let why = "there is one kind of isolation, default";
        return Err(BuildFault::Unsupported { service, attribute, why });
    }
    if build.privileged {
        let (service, attribute) = (service.name.clone(), "privileged");
        let why = "steps of a build have no rights beyond those of a container";
        return Err(BuildFault::Unsupported { service, attribute, why });
    }
    let entries = |attribute, kind, texts: &[String]| {
        let each = texts.iter().map(|text| Entry::parse(kind, text));
        each.collect::<Result<Vec<_>, _>>().map_err(|why| fault(service, attribute, why))
    };
    let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let mut labels = build.labels.clone();
    for (label, value) in [
        (labels::VERSION, labels::COMPOSE_VERSION),
        (labels::PROJECT, project.name.as_str()),
        (labels::SERVICE, service.name.as_str()),
    ] {
        labels.insert(label.to_owned(), value.to_owned());
    }
    let image = project.image_name(service);
    let tags = build.tags.iter().chain([&image]).cloned().collect();
    let ssh: Vec<String> = build.ssh.iter().chain(&wish.ssh).cloned().collect();
    let output = match (wish.check, wish.push && service.image.is_some()) {
        (true, _) => None,
        (false, true) => Some(entries("push", Kind::Output, &["type=registry".to_owned()])?),
        (false, false) => Some(entries("output", Kind::Output, &["type=docker".to_owned()])?),
    };
    let dockerfile = some(&build.dockerfile).map(|file| dockerfile_path(&build.context, &file));
    Ok(Target {
        context: some(&build.context),
        contexts: build.additional_contexts.clone(),
        dockerfile,
        dockerfile_inline: some(&build.dockerfile_inline),
        args: args(build, wish),
        labels,
        tags: Some(tags),
        cache_from: entries("cache_from", Kind::Cache, &build.cache_from)?,
        cache_to: Some(entries("cache_to", Kind::Cache, &build.cache_to)?),
        target: some(&build.target),
        secret: secrets(project, service, build)?,
        ssh: entries("ssh", Kind::Ssh, &ssh)?,
        platforms: Some(platforms(service, build, wish)?),
        pull: Some(build.pull || wish.pull).filter(|yes| *yes),
        no_cache: Some(build.no_cache || wish.no_cache).filter(|yes| *yes),
        network: some(&build.network),
        no_cache_filter: build.no_cache_filter.clone(),
        shm_size: Some(build.shm_size.0).filter(|size| *size > 0).map(|size| size.to_string()),
        ulimits: build.ulimits.iter().map(|(name, limit)| limit.shown(name)).collect(),
        call: wish.check.then(|| "lint".to_owned()),
        entitlements: build.entitlements.clone(),
        extra_hosts: hosts(&build.extra_hosts),
        output,
        attest: [("provenance", &build.provenance), ("sbom", &build.sbom)]
            .into_iter()
            .filter_map(|(kind, wanted)| attest(kind, wanted))
            .collect(),
        ..Target::default()
    })
}

/// Those of the command line win; what has no value there has that of the project's environment.
pub(super) fn args(build: &Attributes, wish: &Wish) -> BTreeMap<String, String> {
    let text =
        |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let environment = |name: &str| wish.environment.get(name).cloned();
    let mut args = BTreeMap::new();
    for (name, value) in &build.args {
        if let Some(value) = value.as_ref().map(text).or_else(|| environment(name)) {
            args.insert(name.clone(), value);
        }
    }
    for given in &wish.args {
        let (name, value) = match given.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (given.as_str(), environment(given)),
        };
        match value {
            Some(value) => args.insert(name.to_owned(), value),
            None => args.remove(name),
        };
    }
    args
}

/// Secrets of the project under the names that the Dockerfile has for them.
pub(super) fn secrets(
    project: &Project,
    service: &Service,
    build: &Attributes,
) -> Result<Vec<Entry>, BuildFault> {
    let mut all = Vec::new();
    for used in &build.secrets {
        let unknown = || fault(service, "secrets", format!("there is no secret {:?}", used.source));
        let secret = project.secrets.get(&used.source).ok_or_else(unknown)?;
        let id = if used.target.is_empty() { &used.source } else { &used.target };
        let (key, value) = match (&secret.environment, &secret.file) {
            (Some(name), _) => ("env", name),
            (None, Some(path)) => ("src", path),
            (None, None) => {
                let why = format!(
                    "secret {:?} comes neither from a file nor from the environment",
                    used.source
                );
                return Err(fault(service, "secrets", why));
            }
        };
        let fields = [("id", id), (key, value)].map(|(key, value)| (key.to_owned(), value.clone()));
        all.push(Entry { kind: Kind::Secret, fields: fields.into() });
    }
    Ok(all)
}

fn platforms(
    service: &Service,
    build: &Attributes,
    wish: &Wish,
) -> Result<Vec<String>, BuildFault> {
    let mut platforms = build.platforms.clone();
    let default = wish.environment.get("DOCKER_DEFAULT_PLATFORM").filter(|name| !name.is_empty());
    if let Some(own) = service.platform.as_ref().filter(|name| !name.is_empty()).or(default) {
        if !platforms.is_empty() && !platforms.contains(own) {
            let why = format!("build configuration does not support platform: {own}");
            return Err(fault(service, "platforms", why));
        }
        if wish.one_platform || platforms.is_empty() {
            platforms = vec![own.clone()];
        }
    }
    if wish.one_platform && platforms.len() > 1 {
        platforms.clear();
    }
    Ok(platforms)
}

/// `HOST=ADDRESS`, several addresses of a host with commas.
pub(super) fn hosts(given: &[String]) -> BTreeMap<String, String> {
    let mut hosts: BTreeMap<String, String> = BTreeMap::new();
    for text in given {
        let Some((host, address)) = text.split_once(['=', ':']) else { continue };
        hosts
            .entry(host.to_owned())
            .and_modify(|all| {
                all.push(',');
                all.push_str(address);
            })
            .or_insert_with(|| address.to_owned());
    }
    hosts
}

pub(super) fn attest(kind: &str, wanted: &str) -> Option<Entry> {
    let text = match wanted {
        "" | "false" => return None,
        "true" => format!("type={kind}"),
        other => format!("type={kind},{other}"),
    };
    Entry::parse(Kind::Attest, &text).ok()
}

/// A path below a context that is a folder.
fn dockerfile_path(context: &str, dockerfile: &str) -> String {
    let is_elsewhere = context.contains("://") || coracle_builder::flags::contexts::is_git(context);
    if is_elsewhere || dockerfile.starts_with('/') || context.is_empty() {
        return dockerfile.to_owned();
    }
    let mut path: Vec<&str> = Vec::new();
    for part in context.split('/').chain(dockerfile.split('/')) {
        match part {
            "" | "." => {}
            ".." if path.last().is_some_and(|last| *last != "..") => drop(path.pop()),
            part => path.push(part),
        }
    }
    let root = if context.starts_with('/') { "/" } else { "" };
    format!("{root}{}", path.join("/"))
}
