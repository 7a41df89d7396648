//! A target: what is built, in the words of `build`'s flags.

use std::collections::BTreeMap;

use serde::Serialize;

use super::entry::{Entry, Kind};
use super::scope::unexpected;
use super::value::Value;

/// A target. What is not said is `None` or empty; the order of fields is that of `--print`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Target {
    #[serde(skip)]
    pub name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    #[serde(skip)]
    pub inherits: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub annotations: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attest: Vec<Entry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub contexts: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dockerfile: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "escaped")]
    pub dockerfile_inline: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty", serialize_with = "all_escaped")]
    pub args: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty", serialize_with = "all_escaped")]
    pub labels: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "is_none_or_empty")]
    pub tags: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cache_from: Vec<Entry>,
    #[serde(skip_serializing_if = "is_none_or_empty")]
    pub cache_to: Option<Vec<Entry>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secret: Vec<Entry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ssh: Vec<Entry>,
    #[serde(skip_serializing_if = "is_none_or_empty")]
    pub platforms: Option<Vec<String>>,
    #[serde(skip_serializing_if = "is_none_or_empty")]
    pub output: Option<Vec<Entry>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pull: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_cache: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub no_cache_filter: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shm_size: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ulimits: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub entitlements: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty", serialize_with = "all_escaped")]
    pub extra_hosts: BTreeMap<String, String>,
    /// Only others need it: its image goes nowhere.
    #[serde(skip)]
    pub is_linked: bool,
}

fn is_none_or_empty<T>(list: &Option<Vec<T>>) -> bool {
    list.as_ref().is_none_or(Vec::is_empty)
}

/// What is printed can be read as a file again.
fn escape(text: &str) -> String {
    text.replace("${", "$${").replace("%{", "%%{")
}

#[expect(clippy::ref_option, reason = "serde asks for it")]
fn escaped<S: serde::Serializer>(text: &Option<String>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&escape(text.as_deref().unwrap_or_default()))
}

fn all_escaped<S: serde::Serializer>(
    map: &BTreeMap<String, String>,
    to: S,
) -> Result<S::Ok, S::Error> {
    to.collect_map(map.iter().map(|(key, value)| (key, escape(value))))
}

impl Target {
    /// Takes one attribute of a block.
    pub(super) fn set(&mut self, name: &str, value: &Value) -> Result<(), String> {
        if matches!(value, Value::Null) {
            return Ok(());
        }
        let text = || {
            value
                .text()
                .ok_or_else(|| format!("{name}: a string is required, not {}", value.kind()))
        };
        let truth = || {
            value.truth().ok_or_else(|| format!("{name}: a bool is required, not {}", value.kind()))
        };
        let entries = |kind| {
            parts(name, value)?
                .iter()
                .map(|one| Entry::read(kind, one))
                .collect::<Result<Vec<_>, _>>()
        };
        match name {
            "description" => self.description = text()?,
            "inherits" => self.inherits = texts(name, value)?,
            "annotations" => self.annotations = texts(name, value)?,
            "attest" => self.attest = entries(Kind::Attest)?,
            "context" => self.context = Some(text()?),
            "contexts" => self.contexts = pairs(name, value)?,
            "dockerfile" => self.dockerfile = Some(text()?),
            "dockerfile-inline" => self.dockerfile_inline = Some(text()?),
            "args" => self.args = pairs(name, value)?,
            "labels" => self.labels = pairs(name, value)?,
            "tags" => self.tags = Some(texts(name, value)?),
            "cache-from" => self.cache_from = entries(Kind::Cache)?,
            "cache-to" => self.cache_to = Some(entries(Kind::Cache)?),
            "target" => self.target = Some(text()?),
            "secret" => self.secret = entries(Kind::Secret)?,
            "ssh" => self.ssh = entries(Kind::Ssh)?,
            "platforms" => self.platforms = Some(texts(name, value)?),
            "output" => self.output = Some(entries(Kind::Output)?),
            "pull" => self.pull = Some(truth()?),
            "no-cache" => self.no_cache = Some(truth()?),
            "network" => self.network = Some(text()?),
            "no-cache-filter" => self.no_cache_filter = texts(name, value)?,
            "shm-size" => self.shm_size = Some(text()?),
            "ulimits" => self.ulimits = texts(name, value)?,
            "call" => self.call = Some(text()?),
            "entitlements" => self.entitlements = texts(name, value)?,
            "extra-hosts" => self.extra_hosts = pairs(name, value)?,
            "resources" | "policy" => return Err(format!("{name} of a target is not supported")),
            // They are of the block, not of what it makes.
            "name" | "matrix" => {}
            other => return Err(unexpected(other)),
        }
        Ok(())
    }

    /// Lays another one over it.
    pub fn merge(&mut self, other: &Self) {
        let over = |mine: &mut Option<String>, other: &Option<String>| {
            if other.is_some() {
                mine.clone_from(other);
            }
        };
        over(&mut self.context, &other.context);
        over(&mut self.dockerfile, &other.dockerfile);
        over(&mut self.dockerfile_inline, &other.dockerfile_inline);
        over(&mut self.target, &other.target);
        over(&mut self.network, &other.network);
        over(&mut self.shm_size, &other.shm_size);
        over(&mut self.call, &other.call);
        if !other.description.is_empty() {
            self.description.clone_from(&other.description);
        }
        for (mine, other) in [
            (&mut self.args, &other.args),
            (&mut self.contexts, &other.contexts),
            (&mut self.labels, &other.labels),
            (&mut self.extra_hosts, &other.extra_hosts),
        ] {
            mine.extend(other.iter().map(|(key, value)| (key.clone(), value.clone())));
        }
        for (mine, other) in [
            (&mut self.annotations, &other.annotations),
            (&mut self.no_cache_filter, &other.no_cache_filter),
            (&mut self.ulimits, &other.ulimits),
            (&mut self.entitlements, &other.entitlements),
            (&mut self.inherits, &other.inherits),
        ] {
            mine.extend_from_slice(other);
        }
        for (mine, other) in [
            (&mut self.attest, &other.attest),
            (&mut self.secret, &other.secret),
            (&mut self.ssh, &other.ssh),
            (&mut self.cache_from, &other.cache_from),
        ] {
            mine.extend_from_slice(other);
        }
        for (mine, other) in
            [(&mut self.tags, &other.tags), (&mut self.platforms, &other.platforms)]
        {
            if other.is_some() {
                mine.clone_from(other);
            }
        }
        for (mine, other) in
            [(&mut self.cache_to, &other.cache_to), (&mut self.output, &other.output)]
        {
            if other.is_some() {
                mine.clone_from(other);
            }
        }
        self.pull = other.pull.or(self.pull);
        self.no_cache = other.no_cache.or(self.no_cache);
    }

    /// Says nothing twice.
    pub(super) fn tidy(&mut self) {
        if self.network.as_deref() == Some("host") {
            self.entitlements.push("network.host".to_owned());
        }
        let lists = [
            Some(&mut self.annotations),
            self.tags.as_mut(),
            self.platforms.as_mut(),
            Some(&mut self.no_cache_filter),
            Some(&mut self.ulimits),
            Some(&mut self.entitlements),
        ];
        for list in lists.into_iter().flatten() {
            let mut seen = std::collections::BTreeSet::new();
            list.retain(|one| !one.is_empty() && seen.insert(one.clone()));
        }
        let lists = [
            Some(&mut self.attest),
            Some(&mut self.secret),
            Some(&mut self.ssh),
            Some(&mut self.cache_from),
            self.cache_to.as_mut(),
            self.output.as_mut(),
        ];
        for list in lists.into_iter().flatten() {
            let mut kept: Vec<Entry> = Vec::new();
            for entry in std::mem::take(list) {
                match kept.iter_mut().find(|one| one.same_place(&entry)) {
                    Some(one) => *one = entry,
                    None => kept.push(entry),
                }
            }
            *list = kept;
        }
        self.contexts.retain(|_, context| !context.is_empty());
    }
}

fn parts(name: &str, value: &Value) -> Result<Vec<Value>, String> {
    match value {
        Value::List(list) => {
            Ok(list.iter().filter(|one| !matches!(one, Value::Null)).cloned().collect())
        }
        other => Err(format!("{name}: a list is required, not {}", other.kind())),
    }
}

pub(super) fn texts(name: &str, value: &Value) -> Result<Vec<String>, String> {
    let text = |one: &Value| {
        one.text()
            .ok_or_else(|| format!("{name}: a list of strings is required, not of {}", one.kind()))
    };
    parts(name, value)?.iter().map(text).collect()
}

fn pairs(name: &str, value: &Value) -> Result<BTreeMap<String, String>, String> {
    let Value::Map(map) = value else {
        return Err(format!("{name}: a map is required, not {}", value.kind()));
    };
    let given = map.iter().filter(|(_, value)| !matches!(value, Value::Null));
    let pair = |(key, value): (&String, &Value)| {
        let text = value.text();
        let text = text
            .ok_or_else(|| format!("{name}.{key}: a string is required, not {}", value.kind()))?;
        Ok((key.clone(), text))
    };
    given.map(pair).collect()
}
