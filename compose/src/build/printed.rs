//! What `compose build --print` writes: a bake file in JSON, with entries as text.

use std::collections::BTreeMap;

use coracle_builder::bake::{Entry, Selected, Target};
use serde::Serialize;

/// A definition as text has it.
#[derive(Debug, Serialize)]
pub struct Printed<'a> {
    group: BTreeMap<&'a str, Targets<'a>>,
    target: BTreeMap<&'a str, Fields<'a>>,
}

#[derive(Debug, Serialize)]
struct Targets<'a> {
    targets: &'a [String],
}

/// In the order in which Compose has them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Fields<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    contexts: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dockerfile: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dockerfile_inline: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    args: BTreeMap<&'a str, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    tags: &'a [String],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cache_from: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cache_to: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    secret: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ssh: Vec<String>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    platforms: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    pull: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    no_cache: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    network: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    no_cache_filter: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    shm_size: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    ulimits: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    entitlements: &'a [String],
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    extra_hosts: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    output: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attest: Vec<String>,
}

impl<'a> Printed<'a> {
    #[must_use]
    pub fn new(selected: &'a Selected) -> Self {
        let groups = selected.groups.iter();
        Self {
            group: groups
                .map(|(name, group)| (name.as_str(), Targets { targets: &group.targets }))
                .collect(),
            target: selected
                .targets
                .iter()
                .map(|(name, target)| (name.as_str(), fields(target)))
                .collect(),
        }
    }
}

fn fields(target: &Target) -> Fields<'_> {
    let escape = |text: &str| text.replace("${", "$${");
    let secret = |entry: &Entry| {
        let kind = if entry.field("env").is_empty() { "file" } else { "env" };
        entry.to_string().replacen(',', &format!(",type={kind},"), 1)
    };
    Fields {
        context: target.context.as_deref(),
        contexts: &target.contexts,
        dockerfile: target.dockerfile.as_deref(),
        dockerfile_inline: target.dockerfile_inline.as_deref().map(escape),
        args: target.args.iter().map(|(name, value)| (name.as_str(), escape(value))).collect(),
        labels: &target.labels,
        tags: target.tags.as_deref().unwrap_or_default(),
        cache_from: texts(&target.cache_from),
        cache_to: texts(target.cache_to.as_deref().unwrap_or_default()),
        target: target.target.as_deref(),
        secret: target.secret.iter().map(secret).collect(),
        ssh: texts(&target.ssh),
        platforms: target.platforms.as_deref().unwrap_or_default(),
        pull: target.pull,
        no_cache: target.no_cache,
        network: target.network.as_deref(),
        no_cache_filter: &target.no_cache_filter,
        shm_size: target.shm_size.as_deref(),
        ulimits: &target.ulimits,
        call: target.call.as_deref(),
        entitlements: &target.entitlements,
        extra_hosts: &target.extra_hosts,
        output: texts(target.output.as_deref().unwrap_or_default()),
        attest: texts(&target.attest),
    }
}

fn texts(entries: &[Entry]) -> Vec<String> {
    entries.iter().map(Entry::to_string).collect()
}
