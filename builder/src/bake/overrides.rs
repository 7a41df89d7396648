//! `--set TARGET.KEY[.NAME]=VALUE`.

use std::collections::BTreeMap;

use coracle_words::strconv::parse_bool;

use super::entry::{Entry, Kind};
use super::target::Target;
use super::{BakeError, Config, Facts};

/// What is laid over one target, by key.
pub(super) type Overrides = BTreeMap<String, Override>;

#[derive(Clone, Debug, Default)]
pub(super) struct Override {
    value: String,
    /// Of keys that have lists.
    values: Vec<String>,
    /// `KEY+=VALUE`.
    is_added: bool,
}

/// Keys whose values are lists, so that several add up.
const LISTS: [&str; 13] = [
    "output",
    "cache-to",
    "cache-from",
    "tags",
    "platform",
    "secrets",
    "ssh",
    "attest",
    "entitlements",
    "annotations",
    "ulimits",
    "no-cache-filter",
    "policy",
];

impl Config {
    /// What flags say of each target.
    pub(super) fn overrides(
        &self,
        given: &[String],
        facts: &Facts,
    ) -> Result<BTreeMap<String, Overrides>, BakeError> {
        let mut all: BTreeMap<String, Overrides> = BTreeMap::new();
        for text in given {
            let (path, value) = match text.split_once('=') {
                Some((path, value)) => (path, Some(value)),
                None => (text.as_str(), None),
            };
            let key = path.strip_suffix('+').unwrap_or(path);
            let mut parts = key.splitn(3, '.');
            let (pattern, Some(first)) = (parts.next().unwrap_or_default(), parts.next()) else {
                let why = format!("invalid override key {key}, expected target.name");
                return Err(BakeError::plain(why));
            };
            let name = parts.next();
            if value.is_none() && first != "args" {
                let why = format!("invalid override {text}, expected target.name=value");
                return Err(BakeError::plain(why));
            }
            if matches!(first, "args" | "contexts" | "secret" | "resources") && name.is_none() {
                let why = format!("invalid key {path}, {first} requires name");
                return Err(BakeError::plain(why));
            }
            let value = match (value, name) {
                (Some(value), _) => value.to_owned(),
                (None, Some(name)) => match facts.environment.get(name) {
                    Some(value) => value.clone(),
                    None => continue,
                },
                (None, None) => String::new(),
            };
            let full = key.split_once('.').map_or("", |(_, rest)| rest);
            for target in self.expand(pattern)? {
                let slot = all.entry(target).or_default().entry(full.to_owned()).or_default();
                if LISTS.contains(&first) {
                    slot.is_added = path.ends_with('+');
                    slot.values.push(value.clone());
                }
                slot.value.clone_from(&value);
            }
        }
        Ok(all)
    }

    fn expand(&self, pattern: &str) -> Result<Vec<String>, BakeError> {
        if self.targets.iter().any(|target| target.name == pattern) {
            return Ok(vec![pattern.to_owned()]);
        }
        let named = self.targets.iter().map(|target| &target.name);
        let found: Vec<String> =
            named.filter(|name| super::select::matches(pattern, name)).cloned().collect();
        if found.is_empty() {
            return Err(BakeError::plain(format!(
                "could not find any target matching '{pattern}'"
            )));
        }
        Ok(found)
    }
}

impl Target {
    pub(super) fn take(&mut self, overrides: &Overrides) -> Result<(), String> {
        for (key, given) in overrides {
            let (first, name) = key.split_once('.').unwrap_or((key, ""));
            self.take_one(first, name, given)?;
        }
        Ok(())
    }

    fn take_one(&mut self, key: &str, name: &str, given: &Override) -> Result<(), String> {
        let text = || Some(given.value.clone());
        let truth = || {
            let value = &given.value;
            parse_bool(value).ok_or_else(|| format!("invalid value {value} for boolean key {key}"))
        };
        let named = |map: &mut BTreeMap<String, String>| match name {
            "" => Err(format!("invalid format for {key}, expecting {key}.<name>=<value>")),
            name => {
                map.insert(name.to_owned(), given.value.clone());
                Ok(())
            }
        };
        match key {
            "context" => self.context = text(),
            "dockerfile" => self.dockerfile = text(),
            "dockerfile-inline" => self.dockerfile_inline = text(),
            "target" => self.target = text(),
            "call" => self.call = text(),
            "shm-size" => self.shm_size = text(),
            "network" => self.network = text(),
            "args" => named(&mut self.args)?,
            "contexts" => named(&mut self.contexts)?,
            "labels" => named(&mut self.labels)?,
            "extra-hosts" => named(&mut self.extra_hosts)?,
            "no-cache" => self.no_cache = Some(truth()?),
            "pull" => self.pull = Some(truth()?),
            "push" => self.push(truth()?),
            "load" => {
                if truth()? {
                    self.load();
                }
            }
            "tags" => put(self.tags.get_or_insert_default(), given),
            "platform" => put(self.platforms.get_or_insert_default(), given),
            "ulimits" => put(&mut self.ulimits, given),
            "no-cache-filter" => put(&mut self.no_cache_filter, given),
            "annotations" => self.annotations.extend_from_slice(&given.values),
            "entitlements" => self.entitlements.extend_from_slice(&given.values),
            "cache-from" => put_entries(&mut self.cache_from, Kind::Cache, given)?,
            "cache-to" => put_entries(self.cache_to.get_or_insert_default(), Kind::Cache, given)?,
            "secrets" => put_entries(&mut self.secret, Kind::Secret, given)?,
            "secret" => self.replace_secret(name, &given.value)?,
            "ssh" => put_entries(&mut self.ssh, Kind::Ssh, given)?,
            "output" => put_entries(self.output.get_or_insert_default(), Kind::Output, given)?,
            "attest" => {
                let added = Override { is_added: true, ..given.clone() };
                put_entries(&mut self.attest, Kind::Attest, &added)?;
            }
            "resources" | "policy" => return Err(format!("{key} of a target is not supported")),
            other => return Err(format!("unknown key: {other}")),
        }
        Ok(())
    }

    fn replace_secret(&mut self, id: &str, value: &str) -> Result<(), String> {
        let mut next = Entry::parse(Kind::Secret, value)?;
        if !matches!(next.field("id"), "" | "null") && next.field("id") != id {
            let other = next.field("id");
            return Err(format!(
                "secret override id {other:?} does not match declared secret {id:?}"
            ));
        }
        next.fields.insert("id".to_owned(), id.to_owned());
        let found = self.secret.iter_mut().find(|one| one.field("id") == id);
        *found.ok_or_else(|| {
            format!("secret {id:?} must be declared before it can be overridden")
        })? = next;
        Ok(())
    }

    /// `--push`, or `push=false`.
    fn push(&mut self, wanted: bool) {
        let outputs = self.output.get_or_insert_default();
        for output in outputs.iter_mut().filter(|output| output.field("type") == "image") {
            output.fields.insert("push".to_owned(), wanted.to_string());
        }
        if !wanted {
            outputs.retain(|output| output.field("type") != "registry");
        } else if outputs.iter().all(|output| output.field("type") == "docker") {
            let fields = [("type", "image"), ("push", "true")];
            let fields = fields.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
            outputs.push(Entry { kind: Kind::Output, fields });
        }
    }

    /// `--load`, where nothing else becomes of the result.
    fn load(&mut self) {
        let outputs = self.output.get_or_insert_default();
        for output in outputs.iter() {
            match output.field("type") {
                "docker" if output.field("dest").is_empty() => return,
                "docker" | "image" | "registry" | "oci" => {}
                _ => return,
            }
        }
        let fields = [("type".to_owned(), "docker".to_owned())].into();
        outputs.push(Entry { kind: Kind::Output, fields });
    }
}

fn put(list: &mut Vec<String>, given: &Override) {
    if !given.is_added {
        list.clear();
    }
    list.extend_from_slice(&given.values);
}

fn put_entries(list: &mut Vec<Entry>, kind: Kind, given: &Override) -> Result<(), String> {
    if !given.is_added {
        list.clear();
    }
    for text in given.values.iter().filter(|text| !text.is_empty()) {
        list.push(Entry::parse(kind, text)?);
    }
    Ok(())
}
