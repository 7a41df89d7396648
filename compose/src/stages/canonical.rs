//! Short forms become long ones.

use std::mem::take;

use super::descend::descend;
use super::interpolate::Warnings;
use super::merge::{shown, usual_dependency};
use crate::limits::Budget;
use crate::schema::{Attr, Form};
use crate::text::{port, volume};
use crate::tree::{At, Fault, Map, Node, Path, Result, Value};

/// How many values the long form of a port has, itself included.
const PORT_VALUES: usize = 6;

/// Settings of the stage.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Canonical<'a> {
    /// Values may still hold variables: what does not parse is left as it is.
    pub(crate) lenient: bool,
    pub(crate) warnings: &'a Warnings,
    pub(crate) budget: &'a Budget,
}

impl Canonical<'_> {
    pub(crate) fn apply(
        &self,
        node: &mut Node,
        attr: Option<&'static Attr>,
        path: &Path<'_>,
    ) -> Result<()> {
        if let Some(form) = attr.and_then(|attr| attr.form) {
            self.expand(node, form, path)?;
        }
        descend(node, attr, path, &|node, attr, path| self.apply(node, attr, path))
    }

    fn expand(&self, node: &mut Node, form: Form, path: &Path<'_>) -> Result<()> {
        let at = node.at;
        let value = take(&mut node.value);
        node.value = match (form, value) {
            (Form::AnyText, value @ (Value::Bool(_) | Value::Int(_) | Value::Float(_))) => {
                Value::Text(shown(&Node::new(at, value)))
            }
            (Form::Build, Value::Text(context)) => one(at, "context", context),
            (Form::Extends, Value::Text(service)) => one(at, "service", service),
            (Form::FileMount, Value::Text(source)) => one(at, "source", source),
            (Form::Gpus, Value::Text(_)) => {
                Value::List(vec![Node::new(at, one(at, "count", "all".to_owned()))])
            }
            (Form::TextList, Value::Text(text)) => Value::List(vec![Node::text(at, text)]),
            (Form::Names, Value::List(items)) => {
                keyed(items, path, |item| Ok((shown(item), Node::null(item.at))))?
            }
            (Form::DependsOn, value) => dependencies(value, at, path)?,
            (Form::EnvFiles, value) => env_files(value, at),
            (Form::KeyValue, Value::List(items)) => self.key_values(items, path)?,
            (Form::Ssh, Value::List(items)) => keyed(items, path, ssh)?,
            (Form::External, Value::Map(map)) => self.external(map, at, path)?,
            (Form::Device, Value::Text(text)) => self.device(text, at, path)?,
            (Form::Volume, Value::Text(text)) => self.mount(text, at, path)?,
            (Form::Ulimit, Value::Text(text)) if !self.lenient => {
                let text = format!("expected a number or a mapping, found the text {text:?}");
                return Err(Fault::new(at, path, text));
            }
            (Form::Ports, Value::List(items)) => self.ports(items, path)?,
            (_, value) => value,
        };
        Ok(())
    }

    fn key_values(&self, items: Vec<Node>, path: &Path<'_>) -> Result<Value> {
        let fits = |item: &Node| item.as_text().is_some_and(|text| text.contains('='));
        if self.lenient && !items.iter().all(fits) {
            return Ok(Value::List(items));
        }
        keyed(items, path, |item| match item.as_text().and_then(|text| text.split_once('=')) {
            Some((key, value)) => Ok((key.to_owned(), Node::text(item.at, value))),
            None => Err(format!("invalid value {}, expected key=value", shown(item))),
        })
    }

    /// `external: {name: NAME}` is the old form of `external: true` and `name: NAME`.
    fn external(&self, mut map: Map, at: At, path: &Path<'_>) -> Result<Value> {
        let old = match map.get("external") {
            Some(external) if external.as_map().is_some() => external.clone(),
            _ => return Ok(Value::Map(map)),
        };
        map.insert("external".to_owned(), Node::bool(old.at, true));
        if let Some(name) = old.get("name") {
            self.warnings.add(format!(
                "{path}: external.name is deprecated. Please set name and external: true"
            ));
            match map.get("name") {
                Some(given) if given != name => {
                    let text = "name and external.name conflict; only use name";
                    return Err(Fault::new(at, path, text));
                }
                Some(_) => {}
                None => drop(map.insert("name".to_owned(), name.clone())),
            }
        }
        Ok(Value::Map(map))
    }

    fn device(&self, text: String, at: At, path: &Path<'_>) -> Result<Value> {
        let parts: Vec<&str> = text.split(':').collect();
        let (source, target, permissions) = match parts[..] {
            [source] => (source, source, "rwm"),
            [source, target] => (source, target, "rwm"),
            [source, target, permissions] => (source, target, permissions),
            _ if self.lenient => return Ok(Value::Text(text)),
            _ => {
                let message = format!("confusing device mapping: {text}");
                let fault = Fault::new(at, path, message);
                return Err(fault.hint("write source, target and permissions as a mapping"));
            }
        };
        let target = if target.is_empty() { source } else { target };
        let field = |text: &str| Node::text(at, text);
        let (source, target) = (field(source), field(target));
        let entries = [("source", source), ("target", target), ("permissions", field(permissions))];
        Ok(Node::map(at, entries).value)
    }

    fn mount(&self, text: String, at: At, path: &Path<'_>) -> Result<Value> {
        match volume::parse(&text) {
            Ok(volume) => Ok(mount(&volume, at)),
            Err(_) if self.lenient => Ok(Value::Text(text)),
            Err(message) => Err(Fault::new(at, path, message)),
        }
    }

    fn ports(&self, items: Vec<Node>, path: &Path<'_>) -> Result<Value> {
        let mut out = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let text = match &item.value {
                Value::Map(_) => {
                    out.push(item.clone());
                    continue;
                }
                Value::Text(_) | Value::Int(_) => shown(item),
                _ => {
                    let text = format!("expected a port, found {}", item.kind());
                    return Err(Fault::new(item.at, &path.index(index), text));
                }
            };
            match port::parse(&text) {
                Ok(ports) => {
                    let made = self.budget.make(PORT_VALUES * ports.len());
                    made.map_err(|message| Fault::new(item.at, &path.index(index), message))?;
                    out.extend(ports.iter().map(|port| long_port(port, item.at)));
                }
                Err(_) if self.lenient => return Ok(Value::List(items)),
                Err(message) => return Err(Fault::new(item.at, &path.index(index), message)),
            }
        }
        Ok(Value::List(out))
    }
}

fn one(at: At, key: &str, text: String) -> Value {
    Node::map(at, [(key, Node::text(at, text))]).value
}

/// A list as a mapping.
fn keyed(
    items: Vec<Node>,
    path: &Path<'_>,
    entry: impl Fn(&Node) -> std::result::Result<(String, Node), String>,
) -> Result<Value> {
    let mut map = Map::new();
    for (index, item) in items.iter().enumerate() {
        let (key, value) =
            entry(item).map_err(|message| Fault::new(item.at, &path.index(index), message))?;
        map.insert(key, value);
    }
    Ok(Value::Map(map))
}

fn ssh(item: &Node) -> std::result::Result<(String, Node), String> {
    match shown(item).split_once('=') {
        Some((id, path)) => Ok((id.to_owned(), Node::text(item.at, path))),
        None if item.as_text() == Some("default") => {
            Ok(("default".to_owned(), Node::null(item.at)))
        }
        None => Err(format!("invalid ssh key {:?}: expected default or ID=PATH", shown(item))),
    }
}

fn dependencies(value: Value, at: At, path: &Path<'_>) -> Result<Value> {
    match value {
        Value::List(items) => {
            keyed(items, path, |item| Ok((shown(item), usual_dependency(item.at))))
        }
        Value::Map(mut map) => {
            for (name, entry) in &mut map {
                let at = entry.at;
                let kind = entry.kind();
                let Some(entry) = entry.as_map_mut() else {
                    let text = format!("expected a mapping, found {kind}");
                    return Err(Fault::new(at, &path.key(name), text));
                };
                if let Value::Map(usual) = usual_dependency(at).value {
                    for (key, value) in usual {
                        entry.entry(key).or_insert(value);
                    }
                }
            }
            Ok(Value::Map(map))
        }
        other => {
            let text =
                format!("expected a list or a mapping, found {}", Node::new(at, other).kind());
            Err(Fault::new(at, path, text))
        }
    }
}

fn env_files(value: Value, at: At) -> Value {
    let long = |node: Node| {
        let at = node.at;
        let required = Node::bool(at, true);
        match node.value {
            Value::Text(_) => Node::map(at, [("path", node), ("required", required)]),
            Value::Map(mut map) => {
                map.entry("required".to_owned()).or_insert(required);
                Node::new(at, Value::Map(map))
            }
            _ => node,
        }
    };
    match value {
        text @ Value::Text(_) => Value::List(vec![long(Node::new(at, text))]),
        Value::List(items) => Value::List(items.into_iter().map(long).collect()),
        other => other,
    }
}

fn long_port(port: &port::Port, at: At) -> Node {
    let mut map = Map::new();
    let mut put = |key: &str, value: Value| drop(map.insert(key.to_owned(), Node::new(at, value)));
    put("mode", Value::Text("ingress".to_owned()));
    put("target", Value::Int(port.target.into()));
    put("protocol", Value::Text(port.protocol.to_string()));
    if !port.host_ip.is_empty() {
        put("host_ip", Value::Text(port.host_ip.clone()));
    }
    if !port.published.is_empty() {
        put("published", Value::Text(port.published.clone()));
    }
    Node::new(at, Value::Map(map))
}

fn mount(volume: &volume::Volume, at: At) -> Value {
    let mut map = Map::new();
    let text = |text: &str| Node::text(at, text);
    let mut put = |key: &str, node: Node| drop(map.insert(key.to_owned(), node));
    put("type", text(if volume.is_bind() { "bind" } else { "volume" }));
    put("target", text(&volume::clean(&volume.target)));
    if !volume.source.is_empty() {
        put("source", text(&volume.source));
    }
    if volume.read_only {
        put("read_only", Node::bool(at, true));
    }
    let mut bind = Map::new();
    let options = [("selinux", &volume.selinux), ("propagation", &volume.propagation)];
    for (key, option) in options {
        if let Some(option) = option {
            bind.insert(key.to_owned(), text(option));
        }
    }
    if volume.is_bind() {
        bind.insert("create_host_path".to_owned(), Node::bool(at, true));
    }
    if !bind.is_empty() {
        put("bind", Node::new(at, Value::Map(bind)));
    }
    if volume.nocopy {
        put("volume", Node::map(at, [("nocopy", Node::bool(at, true))]));
    } else if !volume.is_bind() && !volume.brief {
        put("volume", Node::empty_map(at));
    }
    Value::Map(map)
}
