//! `RUN --mount`.
//!
//! Read twice: [`precheck`] when the Dockerfile is parsed, for what does not depend on variables,
//! and [`read`] when their values are known.

use coracle_words::size;
use coracle_words::strconv::parse_bool;

use crate::similar::{did_you_mean, similar};
use crate::source::Fault;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Type {
    #[default]
    Bind,
    Cache,
    Secret,
    Ssh,
    Tmpfs,
}

const TYPES: [(&str, Type); 5] = [
    ("bind", Type::Bind),
    ("cache", Type::Cache),
    ("tmpfs", Type::Tmpfs),
    ("secret", Type::Secret),
    ("ssh", Type::Ssh),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    Shared,
    Private,
    Locked,
}

const SHARINGS: [(&str, Sharing); 3] =
    [("shared", Sharing::Shared), ("private", Sharing::Private), ("locked", Sharing::Locked)];

/// One mount of a step. A value that was not given is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mount {
    pub kind: Type,
    pub from: String,
    pub source: String,
    pub target: String,
    pub id: String,
    pub read_only: bool,
    /// Bytes; 0 is no bound.
    pub size: i64,
    pub sharing: Option<Sharing>,
    pub required: bool,
    pub env: Option<String>,
    pub mode: Option<u32>,
    pub uid: Option<u32>,
    pub gid: Option<u32>,
}

/// Keys, in the order in which one is suggested.
const KEYS: [&str; 19] = [
    "type",
    "from",
    "source",
    "target",
    "readonly",
    "id",
    "sharing",
    "required",
    "size",
    "mode",
    "uid",
    "gid",
    "src",
    "dst",
    "destination",
    "ro",
    "rw",
    "readwrite",
    "env",
];

/// Fields of a line of comma-separated values (RFC 4180).
pub(crate) fn fields(text: &str) -> Result<Vec<String>, Fault> {
    let mut fields = Vec::new();
    let mut rest = text;
    loop {
        let Some(quoted) = rest.strip_prefix('"') else {
            let (field, after) = match rest.split_once(',') {
                Some((field, after)) => (field, Some(after)),
                None => (rest, None),
            };
            if field.contains('"') {
                return Err(Fault::new("bare \" in non-quoted-field"));
            }
            fields.push(field.to_owned());
            match after {
                Some(after) => rest = after,
                None => return Ok(fields),
            }
            continue;
        };
        let mut field = String::new();
        let mut inside = quoted;
        loop {
            let Some((part, after)) = inside.split_once('"') else {
                return Err(Fault::new("extraneous or missing \" in quoted-field"));
            };
            field.push_str(part);
            // Two in a row are one of the field.
            let Some(after) = after.strip_prefix('"') else {
                inside = after;
                break;
            };
            field.push('"');
            inside = after;
        }
        fields.push(field);
        match inside.strip_prefix(',') {
            Some(after) => rest = after,
            None if inside.is_empty() => return Ok(fields),
            None => return Err(Fault::new("extraneous or missing \" in quoted-field")),
        }
    }
}

/// `from` alone is not expanded.
pub(super) fn precheck(text: &str) -> Result<(), Fault> {
    for field in csv(text)? {
        let Some((key, value)) = field.split_once('=') else { continue };
        let at = value.find('$');
        if key.eq_ignore_ascii_case("from") && at.is_some_and(|at| at + 1 != value.len()) {
            return Err(Fault::new(format!(
                "'{}' doesn't support variable expansion, define alias stage instead",
                key.to_lowercase()
            )));
        }
    }
    Ok(())
}

/// The stage, image or context a mount takes from, before anything is expanded.
pub(crate) fn from(text: &str) -> Option<String> {
    let fields = fields(text).ok()?;
    let mut named = fields.iter().filter_map(|field| field.split_once('='));
    named.rfind(|(key, _)| key.eq_ignore_ascii_case("from")).map(|(_, from)| from.to_owned())
}

/// Reads a mount; `expand` replaces variables in the values.
pub(crate) fn read(
    text: &str,
    expand: &mut dyn FnMut(&str) -> Result<String, Fault>,
) -> Result<Mount, Fault> {
    let mut mount = Mount::default();
    let mut read_only = None;
    for field in csv(text)? {
        let Some((key, value)) = field.split_once('=') else {
            match field.to_lowercase().as_str() {
                "readonly" | "ro" => read_only = Some(true),
                "readwrite" | "rw" => read_only = Some(false),
                "required" => mount.require(true)?,
                _ => {
                    let why = format!("invalid field '{field}' must be a key=value pair");
                    return Err(Fault::new(why));
                }
            }
            continue;
        };
        let key = key.to_lowercase();
        let value = expand(value)?;
        let invalid = || Fault::new(format!("invalid value for {key}: {value}"));
        match key.as_str() {
            "readonly" | "ro" => read_only = Some(parse_bool(&value).ok_or_else(invalid)?),
            "readwrite" | "rw" => read_only = Some(!parse_bool(&value).ok_or_else(invalid)?),
            "required" => {
                mount.allow_required()?;
                mount.require(parse_bool(&value).ok_or_else(invalid)?)?;
            }
            "size" if mount.kind == Type::Tmpfs => {
                mount.size = size::flag(&value).map_err(|_| invalid())?;
            }
            "size" => return Err(mount.unexpected("size")),
            _ => mount.set(&key, value, &field)?,
        }
    }
    mount.read_only = read_only.unwrap_or(!matches!(mount.kind, Type::Cache | Type::Tmpfs));
    mount.check()?;
    Ok(mount)
}

fn csv(text: &str) -> Result<Vec<String>, Fault> {
    fields(text).map_err(|fault| fault.within("failed to parse csv mounts"))
}

fn one_of<T: Copy>(what: &str, value: &str, known: &[(&str, T)]) -> Result<T, Fault> {
    let word = value.to_lowercase();
    known.iter().find(|(name, _)| *name == word).map(|(_, found)| *found).ok_or_else(|| {
        let near = similar(value, known.iter().map(|(name, _)| *name));
        Fault::new(did_you_mean(format!("unsupported {what} {value:?}"), near))
    })
}

impl Mount {
    fn set(&mut self, key: &str, value: String, field: &str) -> Result<(), Fault> {
        let bad = || Fault::new(format!("invalid value {value} for {key}"));
        match key {
            "type" => self.kind = one_of("mount type", &value, &TYPES)?,
            "sharing" => self.sharing = Some(one_of("sharing value", &value, &SHARINGS)?),
            "mode" => self.mode = Some(u32::from_str_radix(&value, 8).map_err(|_| bad())?),
            "uid" => self.uid = Some(value.parse().map_err(|_| bad())?),
            "gid" => self.gid = Some(value.parse().map_err(|_| bad())?),
            "from" => self.from = value,
            "source" | "src" => self.source = value,
            "target" | "dst" | "destination" => self.target = value,
            "id" => self.id = value,
            "env" => self.env = Some(value),
            _ => {
                let why = format!("unexpected key '{key}' in '{field}'");
                return Err(Fault::new(did_you_mean(why, similar(key, KEYS))));
            }
        }
        Ok(())
    }

    fn require(&mut self, required: bool) -> Result<(), Fault> {
        self.allow_required()?;
        self.required = required;
        Ok(())
    }

    fn allow_required(&self) -> Result<(), Fault> {
        match self.kind {
            Type::Secret | Type::Ssh => Ok(()),
            _ => Err(self.unexpected("required")),
        }
    }

    fn unexpected(&self, key: &str) -> Fault {
        Fault::new(format!("unexpected key '{key}' for mount type '{}'", self.word()))
    }

    fn word(&self) -> &'static str {
        TYPES.iter().find(|(_, kind)| *kind == self.kind).map_or("", |(name, _)| name)
    }

    /// What does not go together.
    fn check(&self) -> Result<(), Fault> {
        if matches!(self.kind, Type::Bind | Type::Tmpfs) {
            let given = [("mode", self.mode), ("uid", self.uid), ("gid", self.gid)];
            if let Some((key, _)) = given.into_iter().find(|(_, value)| value.is_some()) {
                return Err(Fault::new(format!(
                    "{key} not allowed for {:?} type mounts",
                    self.word()
                )));
            }
        }
        let has_source = !self.source.trim_matches('/').is_empty();
        if has_source
            && (self.kind == Type::Tmpfs || self.kind == Type::Cache && self.from.is_empty())
        {
            let why = format!("open {}: no such file or directory", self.source);
            return Err(Fault::new(why).within(&format!(
                "a {} mount begins empty{}",
                self.word(),
                if self.kind == Type::Cache { " without `from`" } else { "" }
            )));
        }
        let secret = self.kind == Type::Secret;
        let why = if secret && !self.from.is_empty() {
            "secret mount should not have a from"
        } else if secret && self.sharing.is_some() {
            "secret mount should not define sharing"
        } else if secret && [&self.source, &self.target, &self.id].iter().all(|it| it.is_empty()) {
            "invalid secret mount. one of source, target required"
        } else if secret && !self.source.is_empty() && !self.id.is_empty() {
            "both source and id can't be set"
        } else if self.sharing.is_some() && self.kind != Type::Cache {
            return Err(Fault::new(format!("invalid cache sharing set for {} mount", self.word())));
        } else {
            return Ok(());
        };
        Err(Fault::new(why))
    }
}

#[cfg(test)]
mod tests;
