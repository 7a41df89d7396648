//! Comma-separated values and the entries made of them: `type=local,dest=out`, `id=token,env=TOKEN`.
//!
//! In a file they are text or maps; `--print` shows maps, and a build takes the text, as its flags do.

use std::collections::BTreeMap;
use std::fmt;

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::value::Value;

/// Which attribute an entry is of: that decides what its short form means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Cache,
    Output,
    Secret,
    Ssh,
    Attest,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub kind: Kind,
    /// `type` is among them; those of `ssh` are `id` and `paths`, with commas.
    pub fields: BTreeMap<String, String>,
}

impl Entry {
    /// # Errors
    /// When the text has no form of that kind.
    pub fn parse(kind: Kind, text: &str) -> Result<Self, String> {
        if kind == Kind::Ssh {
            let (id, paths) = text.split_once('=').unwrap_or((text, ""));
            let mut fields = BTreeMap::from([("id".to_owned(), id.to_owned())]);
            if !paths.is_empty() {
                fields.insert("paths".to_owned(), paths.to_owned());
            }
            return Ok(Self { kind, fields });
        }
        let parts = fields(text).ok_or_else(|| format!("invalid value {text}"))?;
        let single = match &parts[..] {
            [one] if !one.contains('=') || (kind == Kind::Output && !one.starts_with("type=")) => {
                Some(one)
            }
            _ => None,
        };
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let found = match (kind, single) {
            (Kind::Cache, Some(reference)) => {
                BTreeMap::from([pair("type", "registry"), pair("ref", reference)])
            }
            (Kind::Output, Some(place)) if place == "-" => {
                BTreeMap::from([pair("type", "tar"), pair("dest", "-")])
            }
            (Kind::Output, Some(place)) => {
                BTreeMap::from([pair("type", "local"), pair("dest", place)])
            }
            _ => {
                let mut found = BTreeMap::new();
                for part in &parts {
                    let (key, value) =
                        part.split_once('=').ok_or_else(|| format!("invalid value {part}"))?;
                    found.insert(key.trim().to_lowercase(), value.to_owned());
                }
                found
            }
        };
        Self::of(kind, found).map_err(|why| format!("{why} for {text:?}"))
    }

    fn of(kind: Kind, mut fields: BTreeMap<String, String>) -> Result<Self, String> {
        if kind == Kind::Secret {
            if let Some(source) = fields.remove("source") {
                fields.insert("src".to_owned(), source);
            }
            // A plain `src` of an env secret is the name of the variable.
            if fields.remove("type").is_some_and(|kind| kind == "env")
                && !fields.contains_key("env")
                && let Some(name) = fields.remove("src")
            {
                fields.insert("env".to_owned(), name);
            }
            if let Some(other) =
                fields.keys().find(|key| !["id", "src", "env"].contains(&key.as_str()))
            {
                return Err(format!("unexpected key '{other}'"));
            }
        } else if !fields.contains_key("type") {
            return Err("type required".to_owned());
        }
        Ok(Self { kind, fields })
    }

    /// # Errors
    /// When the value is no entry.
    pub(super) fn read(kind: Kind, value: &Value) -> Result<Self, String> {
        let map = match value {
            Value::Text(text) => return Self::parse(kind, text),
            Value::Map(map) => map,
            other => return Err(format!("an entry is text or a map, not {}", other.kind())),
        };
        let mut fields = BTreeMap::new();
        for (key, value) in map {
            let text = match value {
                Value::Null => continue,
                Value::List(list) if kind == Kind::Ssh => {
                    list.iter().filter_map(Value::text).collect::<Vec<_>>().join(",")
                }
                value => value.text().ok_or_else(|| format!("{key} is no text"))?,
            };
            fields.insert(key.clone(), text);
        }
        if kind == Kind::Ssh {
            return Ok(Self { kind, fields });
        }
        Self::of(kind, fields)
    }

    #[must_use]
    pub fn field(&self, key: &str) -> &str {
        self.fields.get(key).map_or("", String::as_str)
    }

    /// What two entries have in common when the later one counts.
    pub(super) fn same_place(&self, other: &Self) -> bool {
        match self.kind {
            Kind::Secret | Kind::Ssh => self.field("id") == other.field("id"),
            Kind::Attest => self.field("type") == other.field("type"),
            Kind::Cache | Kind::Output => self == other,
        }
    }
}

/// As a flag of `build` takes it.
impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.kind == Kind::Ssh {
            let paths = self.field("paths");
            return match paths {
                "" => f.write_str(self.field("id")),
                paths => write!(f, "{}={paths}", self.field("id")),
            };
        }
        let first = ["type", "id"].into_iter().filter_map(|key| self.fields.get_key_value(key));
        let rest = self.fields.iter().filter(|(key, _)| !["type", "id"].contains(&key.as_str()));
        for (number, (key, value)) in first.chain(rest).enumerate() {
            let comma = if number > 0 { "," } else { "" };
            if value.contains([',', '"']) {
                write!(f, "{comma}\"{key}={}\"", value.replace('"', "\"\""))?;
            } else {
                write!(f, "{comma}{key}={value}")?;
            }
        }
        Ok(())
    }
}

/// As `--print` shows it.
impl Serialize for Entry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self.kind {
            Kind::Ssh => {
                map.serialize_entry("id", self.field("id"))?;
                let paths: Vec<&str> =
                    self.field("paths").split(',').filter(|p| !p.is_empty()).collect();
                if !paths.is_empty() {
                    map.serialize_entry("paths", &paths)?;
                }
            }
            Kind::Secret => {
                for key in ["id", "src", "env"] {
                    if let Some(value) = self.fields.get(key) {
                        map.serialize_entry(key, value)?;
                    }
                }
            }
            Kind::Cache | Kind::Output | Kind::Attest => {
                for (key, value) in &self.fields {
                    map.serialize_entry(key, value)?;
                }
            }
        }
        map.end()
    }
}

/// The fields of one line of comma-separated values; `None` when a quote has no end.
pub(super) fn fields(text: &str) -> Option<Vec<String>> {
    crate::instruction::fields(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(kind: Kind, text: &str) -> String {
        Entry::parse(kind, text).map_or_else(|why| format!("! {why}"), |entry| entry.to_string())
    }

    #[test]
    fn short_forms() {
        assert_eq!(entry(Kind::Cache, "me/app:cache"), "type=registry,ref=me/app:cache");
        assert_eq!(entry(Kind::Output, "out"), "type=local,dest=out");
        assert_eq!(entry(Kind::Output, "-"), "type=tar,dest=-");
        assert_eq!(entry(Kind::Output, "type=docker"), "type=docker");
        assert_eq!(entry(Kind::Secret, "type=env,id=a,src=B"), "id=a,env=B");
        assert_eq!(entry(Kind::Ssh, "default"), "default");
        assert_eq!(entry(Kind::Ssh, "k=/a,/b"), "k=/a,/b");
        assert_eq!(entry(Kind::Cache, "ref=x,mode=max"), "! type required for \"ref=x,mode=max\"");
        assert!(entry(Kind::Secret, "id=a,colour=red").starts_with("! unexpected key 'colour'"));
    }

    #[test]
    fn quotes_keep_commas() {
        let text = "type=local,\"dest=a,b\"";
        assert_eq!(fields(text).unwrap(), ["type=local", "dest=a,b"]);
        assert_eq!(entry(Kind::Output, text), "type=local,\"dest=a,b\"");
        assert_eq!(fields("\"a\"\"b\",").unwrap(), ["a\"b", ""]);
        assert!(fields("\"a").is_none() && fields("a\"b").is_none());
    }
}
