//! Secrets and configs of a stack, and their use by services.

use serde_json::Value;

use super::service::Known;
use super::{StackError, flag, labels, pairs, scoped, text};
use crate::model::task::LogDriver;
use crate::model::{ConfigUse, FileTarget, SecretSpec, SecretUse};

/// Readable by all.
const MODE: u32 = 0o444;

/// A secret or config to be made, or compared with what is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Its key in the file.
    pub key: String,
    pub spec: SecretSpec,
    pub content: Content,
}

/// Where the content comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// An absolute path.
    File(String),
    /// A value that came with the file.
    Given(String),
    /// A variable that is not set.
    Missing(String),
    /// A driver has it.
    Elsewhere,
}

/// Those that the stack makes; `given` has the values of those that come from variables, by their keys.
#[must_use]
pub fn secrets(config: &Value, stack: &str, given: &dyn Fn(&str) -> Option<String>) -> Vec<Wanted> {
    all(&config["secrets"], stack, given)
}

/// As [`secrets`].
#[must_use]
pub fn configs(config: &Value, stack: &str, given: &dyn Fn(&str) -> Option<String>) -> Vec<Wanted> {
    all(&config["configs"], stack, given)
}

fn all(section: &Value, stack: &str, given: &dyn Fn(&str) -> Option<String>) -> Vec<Wanted> {
    let own =
        section.as_object().into_iter().flatten().filter(|(_, object)| !flag(&object["external"]));
    let wanted = own.map(|(key, object)| {
        let driver = |name: String| LogDriver { name, ..LogDriver::default() };
        let named = |key: &str| Some(text(&object[key])).filter(|name| !name.is_empty());
        let content = match (named("driver"), object["content"].as_str(), named("environment")) {
            (Some(_), ..) => Content::Elsewhere,
            (None, Some(content), _) => Content::Given(content.to_owned()),
            (None, None, Some(variable)) => {
                given(key).map_or(Content::Missing(variable), Content::Given)
            }
            (None, None, None) => Content::File(text(&object["file"])),
        };
        let spec = SecretSpec {
            name: named("name").unwrap_or_else(|| scoped(stack, key)),
            labels: labels(&object["labels"], stack),
            driver: named("driver")
                .map(|name| LogDriver { name, options: pairs(&object["driver_opts"]) }),
            templating: named("template_driver").map(driver),
        };
        Wanted { key: key.clone(), spec, content }
    });
    let mut wanted: Vec<Wanted> = wanted.collect();
    wanted.sort_by(|a, b| a.key.cmp(&b.key));
    wanted
}

/// One use, before it is known which object it is.
struct Use {
    name: String,
    file: FileTarget,
}

fn uses(list: &Value, section: &Value, stack: &str, kind: &str) -> Result<Vec<Use>, StackError> {
    let mut out: Vec<Use> = Vec::new();
    for item in list.as_array().into_iter().flatten() {
        let source = text(&item["source"]);
        let name = name_of(&source, section, stack, kind)?;
        let or = |key: &str, usual: &str| {
            Some(text(&item[key]))
                .filter(|text| !text.is_empty())
                .unwrap_or_else(|| usual.to_owned())
        };
        let file = FileTarget {
            name: or("target", &source),
            uid: or("uid", "0"),
            gid: or("gid", "0"),
            mode: item["mode"].as_u64().and_then(|mode| u32::try_from(mode).ok()).unwrap_or(MODE),
        };
        if out.iter().any(|other| other.file.name == file.name) {
            return StackError::client(format!("duplicate {kind} target for {name} not allowed"));
        }
        out.push(Use { name, file });
    }
    out.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(out)
}

/// What the object with this key in the file is called.
fn name_of(key: &str, section: &Value, stack: &str, kind: &str) -> Result<String, StackError> {
    let Some(object) = section.get(key) else {
        return StackError::client(format!("undefined {kind} {key:?}"));
    };
    let name = text(&object["name"]);
    Ok(if name.is_empty() { scoped(stack, key) } else { name })
}

fn there(
    found: Option<(String, String)>,
    kind: &str,
    name: &str,
) -> Result<(String, String), StackError> {
    found.ok_or_else(|| StackError::Client(format!("{kind} not found: {name}")))
}

pub(super) fn secret_uses(
    service: &Value,
    config: &Value,
    stack: &str,
    known: &Known<'_>,
) -> Result<Vec<SecretUse>, StackError> {
    let uses = uses(&service["secrets"], &config["secrets"], stack, "secret")?;
    let made = |used: Use| {
        let (secret_id, secret_name) = there((known.secret)(&used.name), "secret", &used.name)?;
        Ok(SecretUse { file: Some(used.file), secret_id, secret_name })
    };
    uses.into_iter().map(made).collect()
}

pub(super) fn config_uses(
    service: &Value,
    config: &Value,
    stack: &str,
    known: &Known<'_>,
) -> Result<Vec<ConfigUse>, StackError> {
    let uses = uses(&service["configs"], &config["configs"], stack, "config")?;
    let made = |used: Use| {
        let (config_id, config_name) = there((known.config)(&used.name), "config", &used.name)?;
        Ok(ConfigUse { file: Some(used.file), runtime: None, config_id, config_name })
    };
    let mut out: Vec<ConfigUse> = uses.into_iter().map(made).collect::<Result<_, _>>()?;
    let key = text(&service["credential_spec"]["config"]);
    if !key.is_empty() {
        let config_name = name_of(&key, &config["configs"], stack, "config")?;
        let (config_id, config_name) = there((known.config)(&config_name), "config", &config_name)?;
        let runtime = Some(serde_json::json!({}));
        out.push(ConfigUse { file: None, runtime, config_id, config_name });
        out.sort_by(|a, b| a.config_name.cmp(&b.config_name));
    }
    Ok(out)
}
