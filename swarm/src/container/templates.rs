//! Templates in what a task is made of: host name, values of the environment, mounts.
//!
//! A field that is not there, and a label that the service does not have, is an error. Besides Go's functions there
//! is `join SEPARATOR TEXT…`.

use std::collections::BTreeMap;

use coracle_runtime::model::Mount;
use coracle_words::template::{Context, Data, Functions, Template, TemplateError};
use serde_json::{Value, json};

use super::ContainerError;
use crate::model::{ContainerSpec, Node, Task};

/// What messages call a template.
const NAME: &str = "expansion";

/// What templates of a task may ask for.
#[derive(Debug)]
pub(super) struct Surroundings(Value);

impl Surroundings {
    pub(super) fn of(task: &Task, node: &Node) -> Self {
        let slot = match task.slot {
            0 => task.node_id.clone(),
            slot => slot.to_string(),
        };
        let platform = &node.description.platform;
        Self(json!({
            "Service": {
                "ID": task.service_id,
                "Name": task.own.service_name,
                "Labels": task.own.service_labels,
            },
            "Node": {
                "ID": task.node_id,
                "Hostname": node.description.hostname,
                "Platform": { "Architecture": platform.architecture, "OS": platform.os },
            },
            "Task": { "ID": task.id, "Name": task.name(), "Slot": slot },
        }))
    }

    fn expand(&self, source: &str) -> Result<String, TemplateError> {
        self.expand_with(source, type_of, &[], &NoFunctions)
    }

    /// Expands with functions of these names, besides.
    pub(super) fn expand_with(
        &self,
        source: &str,
        type_of: fn(&str) -> Option<&'static str>,
        names: &[&str],
        functions: &dyn Functions,
    ) -> Result<String, TemplateError> {
        if !is_template(source) {
            return Ok(source.to_owned());
        }
        let functions = &WithJoin(functions);
        let context = Context { value: &self.0, type_of, functions };
        Template::parse_with(NAME, source, names)?.apply(Data::Context(&context))
    }
}

/// Whether there is anything to be expanded.
pub(super) fn is_template(text: &str) -> bool {
    text.contains("{{")
}

/// What Go calls the parts of the surroundings.
pub(super) fn type_of(key: &str) -> Option<&'static str> {
    match key {
        "" => Some("*template.Context"),
        "Service" => Some("struct { ID string; Name string; Labels map[string]string }"),
        "Node" => Some("struct { ID string; Hostname string; Platform template.Platform }"),
        "Platform" => Some("template.Platform"),
        "Task" => Some("struct { ID string; Name string; Slot string }"),
        _ => None,
    }
}

#[derive(Debug)]
struct NoFunctions;

impl Functions for NoFunctions {
    fn call(&self, _name: &str, _arguments: &[Value]) -> Option<Result<String, String>> {
        None
    }
}

/// `join` as the swarm has it, in place of that of `--format`.
#[derive(Debug)]
struct WithJoin<'a>(&'a dyn Functions);

impl Functions for WithJoin<'_> {
    fn call(&self, name: &str, arguments: &[Value]) -> Option<Result<String, String>> {
        if name != "join" {
            return self.0.call(name, arguments);
        }
        let words: Option<Vec<&str>> = arguments.iter().map(Value::as_str).collect();
        Some(match words.as_deref() {
            Some([separator, words @ ..]) => Ok(words.join(separator)),
            Some([]) => Err("wrong number of args for join: want at least 1 got 0".to_owned()),
            None => Err("wrong type for value; expected string".to_owned()),
        })
    }
}

/// The container specification of a task with its templates expanded.
///
/// # Errors
/// When one does not parse, or asks for what is not there.
pub fn expanded(task: &Task, node: &Node) -> Result<ContainerSpec, ContainerError> {
    let around = Surroundings::of(task, node);
    let mut spec = task.spec.container_spec.clone();
    let failed = |what, why: String| ContainerError::Expand { what, why };
    for entry in &mut spec.env {
        let expanded = environment(&around, entry)
            .map_err(|error| failed("env", format!("expanding env {entry:?}: {error}")))?;
        *entry = expanded;
    }
    for mount in &mut spec.mounts {
        expand_mount(&around, mount).map_err(|why| failed("mounts", why))?;
    }
    spec.hostname =
        around.expand(&spec.hostname).map_err(|error| failed("hostname", error.to_string()))?;
    Ok(spec)
}

/// Only the value can be a template.
fn environment(around: &Surroundings, entry: &str) -> Result<String, TemplateError> {
    match entry.split_once('=') {
        Some((name, value)) => Ok(format!("{name}={}", around.expand(value)?)),
        None => Ok(entry.to_owned()),
    }
}

fn expand_mount(around: &Surroundings, mount: &mut Mount) -> Result<(), String> {
    for (what, text) in [("source", &mut mount.source), ("target", &mut mount.target)] {
        let expanded = around
            .expand(text)
            .map_err(|error| format!("expanding mount {what} {text:?}: {error}"))?;
        *text = expanded;
    }
    let Some(options) = &mut mount.volume_options else { return Ok(()) };
    expand_values(around, &mut options.labels)
        .map_err(|why| format!("expanding volume labels: {why}"))?;
    let driver = options.driver_config.as_mut();
    driver.map_or(Ok(()), |driver| {
        expand_values(around, &mut driver.options)
            .map_err(|why| format!("expanding volume driver config: {why}"))
    })
}

fn expand_values(around: &Surroundings, map: &mut BTreeMap<String, String>) -> Result<(), String> {
    for (key, value) in map {
        let expanded = around
            .expand(value)
            .map_err(|error| format!("expanding map entry {key:?}={value:?}: {error}"))?;
        *value = expanded;
    }
    Ok(())
}
