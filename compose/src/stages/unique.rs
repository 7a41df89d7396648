//! Items of a list that mean the same thing: the later takes the place of the earlier.

use std::collections::HashMap;
use std::mem::take;

use crate::schema::{Attr, Unique};
use crate::stages::merge::shown;
use crate::text::volume;
use crate::tree::{Fault, Node, Path, Result, Value};

pub(crate) fn unique(node: &mut Node, attr: Option<&'static Attr>, path: &Path<'_>) -> Result<()> {
    match &mut node.value {
        Value::Map(map) => map.iter_mut().try_for_each(|(key, value)| {
            unique(value, attr.and_then(|attr| attr.entry(key)), &path.key(key))
        }),
        Value::List(items) => match attr.and_then(|attr| attr.unique) {
            None => Ok(()),
            Some(rule) => {
                *items = without_repeats(take(items), rule, path)?;
                Ok(())
            }
        },
        _ => Ok(()),
    }
}

fn without_repeats(items: Vec<Node>, rule: Unique, path: &Path<'_>) -> Result<Vec<Node>> {
    let mut out: Vec<Node> = Vec::with_capacity(items.len());
    let mut known = HashMap::new();
    for (index, item) in items.into_iter().enumerate() {
        let key = identity(&item, rule, &path.index(index))?;
        match known.get(&key) {
            Some(place) => out[*place] = item,
            None => {
                known.insert(key, out.len());
                out.push(item);
            }
        }
    }
    Ok(out)
}

fn identity(item: &Node, rule: Unique, path: &Path<'_>) -> Result<String> {
    let unexpected = |wanted: &str| {
        Err(Fault::new(item.at, path, format!("expected {wanted}, found {}", item.kind())))
    };
    let field = |name: &str| item.get(name).map(shown);
    match (&item.value, rule) {
        (Value::Float(_), _) => unexpected("a string or a whole number"),
        (Value::Map(_) | Value::List(_) | Value::Null, Unique::Key) => unexpected("a string"),
        (_, Unique::Key) => {
            let text = shown(item);
            Ok(text.split_once('=').map_or(text.as_str(), |(key, _)| key).to_owned())
        }
        (Value::Text(text), Unique::Volume) => match volume::parse(text) {
            Ok(volume) => Ok(volume.target),
            Err(message) => Err(Fault::new(item.at, path, message)),
        },
        (Value::Text(text), Unique::Device) => {
            let mut parts = text.split(':');
            let source = parts.next().unwrap_or_default();
            Ok(parts.next().unwrap_or(source).to_owned())
        }
        (Value::Text(text), Unique::Config) => Ok(format!("/{text}")),
        (Value::Text(text), Unique::Secret) => Ok(format!("/run/secrets/{text}")),
        (Value::Map(_), Unique::Volume | Unique::Device) => match field("target") {
            Some(target) => Ok(target),
            None => Err(Fault::new(item.at, path, "is missing a mount target")),
        },
        (Value::Map(_), Unique::Config | Unique::Secret) => {
            let prefix = if rule == Unique::Secret { "/run/secrets" } else { "" };
            let source = || format!("{prefix}/{}", field("source").unwrap_or_default());
            Ok(field("target").unwrap_or_else(source))
        }
        (Value::Map(_), Unique::File) => match field("path") {
            Some(file) => Ok(file),
            None => Err(Fault::new(item.at, path, "is missing its path")),
        },
        (Value::Map(_), Unique::Port) => port(item, path),
        (Value::Text(_) | Value::Int(_), _) => Ok(shown(item)),
        _ => unexpected("a string or a mapping"),
    }
}

fn port(item: &Node, path: &Path<'_>) -> Result<String> {
    let field =
        |name: &str, otherwise: &str| item.get(name).map_or_else(|| otherwise.to_owned(), shown);
    if item.get("target").is_none() {
        return Err(Fault::new(item.at, path, "is missing a target port"));
    }
    let (host, published) = (field("host_ip", "0.0.0.0"), field("published", ""));
    Ok(format!("{host}:{published}:{}/{}", field("target", ""), field("protocol", "tcp")))
}
