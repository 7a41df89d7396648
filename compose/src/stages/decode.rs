//! Reads every attribute as what it is: times and sizes as numbers, command lines as words,
//! environments as mappings. Afterwards a tree has one form for each meaning.

use std::mem::take;

use coracle_words::{duration, size};

use super::interpolate::{Warnings, boolean, float, integer};
use super::merge::shown;
use crate::schema::{Attr, Fields, Shape};
use crate::text::words;
use crate::tree::{Fault, Map, Node, Path, Result, Value};

type Read = std::result::Result<Value, String>;

/// Decodes in place.
pub(crate) fn decode(
    node: &mut Node,
    attr: &'static Attr,
    warnings: &Warnings,
    path: &Path<'_>,
) -> Result<()> {
    let at = node.at;
    match attr.shape {
        Shape::Struct(fields) | Shape::Inline(fields) | Shape::EnvFile(fields) => {
            return structure(node, fields, warnings, path);
        }
        Shape::Ulimit(fields) if node.as_map().is_some() => {
            return structure(node, fields, warnings, path);
        }
        Shape::Map(each, _) => return entries(node, each, warnings, path),
        Shape::List(each) => return items(node, each, warnings, path),
        _ => {}
    }
    let value = take(&mut node.value);
    node.value = leaf(value, attr, warnings).map_err(|message| Fault::new(at, path, message))?;
    Ok(())
}

fn structure(
    node: &mut Node,
    fields: &'static Fields,
    warnings: &Warnings,
    path: &Path<'_>,
) -> Result<()> {
    let at = node.at;
    let kind = node.kind();
    let Some(map) = node.as_map_mut() else {
        return Err(Fault::new(at, path, format!("expected a mapping, found {kind}")));
    };
    for attr in fields.attrs.iter().filter(|attr| attr.dropped) {
        if map.get(attr.name).is_some_and(|value| !value.is_null()) {
            let path = path.key(attr.name);
            warnings.add(format!("{path}: ignored, as Docker Compose 5.5 ignores it"));
        }
    }
    // Null is as good as nothing; what is not part of the project goes.
    map.retain(|key, value| {
        let known = fields.attrs.iter().find(|attr| attr.name == key);
        known.map_or(key.starts_with("x-"), |attr| !attr.dropped && !value.is_null())
    });
    for (key, value) in map {
        if let Some(attr) = fields.attrs.iter().find(|attr| attr.name == key) {
            decode(value, attr, warnings, &path.key(key))?;
        }
    }
    Ok(())
}

fn entries(
    node: &mut Node,
    each: &'static Attr,
    warnings: &Warnings,
    path: &Path<'_>,
) -> Result<()> {
    let Some(map) = node.as_map_mut() else { return wrong(node, "a mapping", path) };
    for (key, value) in map {
        match value.value {
            Value::Null if each.nullable => {}
            Value::Null => value.value = Value::Map(Map::new()),
            _ => decode(value, each, warnings, &path.key(key))?,
        }
    }
    Ok(())
}

fn items(node: &mut Node, each: &'static Attr, warnings: &Warnings, path: &Path<'_>) -> Result<()> {
    let Value::List(list) = &mut node.value else { return wrong(node, "a list", path) };
    for (index, item) in list.iter_mut().enumerate() {
        decode(item, each, warnings, &path.index(index))?;
    }
    Ok(())
}

fn wrong(node: &Node, wanted: &str, path: &Path<'_>) -> Result<()> {
    Err(Fault::new(node.at, path, format!("expected {wanted}, found {}", node.kind())))
}

fn leaf(value: Value, attr: &'static Attr, warnings: &Warnings) -> Read {
    match (attr.shape, value) {
        (Shape::Text, value) => text(value),
        (Shape::Bool | Shape::OptBool, Value::Text(text)) => {
            boolean(&text, warnings).map(Value::Bool)
        }
        (Shape::Bool | Shape::OptBool, value @ Value::Bool(_)) => Ok(value),
        (Shape::Int | Shape::OptInt | Shape::Ulimit(_), Value::Text(text)) => {
            integer(&text).map(Value::Int)
        }
        (Shape::Int | Shape::OptInt | Shape::Ulimit(_), value) => whole(value),
        (Shape::Count | Shape::OptCount, value) => count(value),
        (Shape::Float, Value::Text(text)) => float(&text).and_then(single),
        (Shape::Float, Value::Int(value)) => single(value as f64),
        (Shape::Float, Value::Float(value)) => single(value),
        (Shape::Bytes, Value::Text(text)) => {
            size::compose(&text).map(|n| Value::Int(n.into())).map_err(|error| error.to_string())
        }
        (Shape::Bytes, value) => whole(value),
        (Shape::Duration | Shape::OptDuration, value) => {
            let text = shown(&Node::new(Default::default(), value));
            duration::parse_long(&text)
                .map(|n| Value::Int(n.into()))
                .map_err(|error| error.to_string())
        }
        (Shape::Mode, Value::Text(text)) => i64::from_str_radix(&text, 8)
            .map(|mode| Value::Int(mode.into()))
            .map_err(|_| format!("expected permission bits such as 0440, found {text:?}")),
        (Shape::Mode | Shape::DeviceCount, Value::Float(number)) => {
            Err(format!("expected a whole number, found {number}"))
        }
        (Shape::Mode, value) => whole(value),
        (Shape::DeviceCount, Value::Text(text)) if text.eq_ignore_ascii_case("all") => {
            Ok(Value::Int(-1))
        }
        (Shape::DeviceCount, Value::Text(text)) => integer(&text).map(Value::Int).map_err(|_| {
            format!("invalid value {text:?}, the only value allowed is 'all' or a number")
        }),
        (Shape::DeviceCount, value) => whole(value),
        (_, value) => collection(value, attr),
    }
}

fn found(value: &Value) -> &'static str {
    Node::new(Default::default(), value.clone()).kind()
}

fn text(value: Value) -> Read {
    match value {
        Value::Text(_) => Ok(value),
        Value::Int(number) => Ok(Value::Text(number.to_string())),
        other => Err(format!("expected a string, found {}", found(&other))),
    }
}

fn whole(value: Value) -> Read {
    match value {
        Value::Int(number) if i64::try_from(number).is_ok() => Ok(value),
        #[expect(clippy::cast_possible_truncation, reason = "a whole number is meant")]
        Value::Float(number) if i64::try_from(number as i128).is_ok() => {
            Ok(Value::Int(number as i128))
        }
        other => Err(format!("expected an integer, found {}", found(&other))),
    }
}

/// Not negative. Text is refused here as Compose refuses it; where it takes text, variables
/// have been given a type before.
fn count(value: Value) -> Read {
    match whole(value)? {
        Value::Int(number) if number < 0 => Err(format!("expected 0 or more, found {number}")),
        value => Ok(value),
    }
}

/// Compose keeps fractions in single precision.
fn single(value: f64) -> Read {
    #[expect(clippy::cast_possible_truncation, reason = "the precision that Compose keeps")]
    let rounded = value as f32;
    if !rounded.is_finite() {
        return Err(format!("expected a number within bounds, found {value}"));
    }
    Ok(Value::Float(rounded.to_string().parse().unwrap_or(value)))
}

fn collection(value: Value, attr: &'static Attr) -> Read {
    match (attr.shape, value) {
        (Shape::TextOrTexts, Value::Text(text)) => Ok(list([text])),
        (Shape::Numbers, Value::List(items)) => Ok(list(items.iter().map(shown))),
        (Shape::Texts | Shape::TextOrTexts | Shape::Command | Shape::Probe, Value::List(items)) => {
            let texts = items.into_iter().map(|item| Ok(Node::new(item.at, text(item.value)?)));
            texts.collect::<std::result::Result<_, String>>().map(Value::List)
        }
        (Shape::Command, Value::Text(line)) => words::split(&line)
            .map(list)
            .ok_or_else(|| format!("invalid command line string: {line}")),
        (Shape::Probe, Value::Text(line)) => Ok(list(["CMD-SHELL".to_owned(), line])),
        (Shape::Mapping, value) => pairs(value, false),
        (Shape::Environment, value) => pairs(value, true),
        (Shape::Options, Value::Map(map)) => Ok(texts(map)),
        (Shape::Strings, Value::Map(map)) => {
            let entry = |(key, node): (String, Node)| match node.value {
                Value::Null => Ok((key, Node::text(node.at, ""))),
                value => Ok((key, Node::new(node.at, text(value)?))),
            };
            map.into_iter().map(entry).collect::<std::result::Result<_, String>>().map(Value::Map)
        }
        (Shape::MultiOptions, Value::Map(map)) => Ok(Value::Map(
            map.into_iter()
                .map(|(key, node)| {
                    let at = node.at;
                    let value = match &node.value {
                        Value::List(items) => list(items.iter().map(shown)),
                        _ => list([shown(&node)]),
                    };
                    (key, Node::new(at, value))
                })
                .collect(),
        )),
        (Shape::Hosts, value) => hosts(value),
        (Shape::Ssh, value @ Value::Map(_)) => Ok(value),
        (_, other) => Err(format!("expected {}, found {}", attr.types.in_words(), found(&other))),
    }
}

fn list(texts: impl IntoIterator<Item = String>) -> Value {
    let node = |text| Node::text(Default::default(), text);
    Value::List(texts.into_iter().map(node).collect())
}

/// Values as texts; null is empty.
fn texts(map: Map) -> Value {
    let entry = |(key, node): (String, Node)| (key, Node::text(node.at, shown(&node)));
    Value::Map(map.into_iter().map(entry).collect())
}

/// `KEY=VALUE` entries as a mapping. A key without value is unset or empty.
fn pairs(value: Value, may_be_unset: bool) -> Read {
    match value {
        Value::Map(map) if may_be_unset => {
            let entry = |(key, node): (String, Node)| match node.value {
                Value::Null => (key, node),
                _ => (key, Node::text(node.at, shown(&node))),
            };
            Ok(Value::Map(map.into_iter().map(entry).collect()))
        }
        Value::Map(map) => Ok(texts(map)),
        Value::List(items) => {
            let mut map = Map::new();
            for item in items {
                let text = shown(&item);
                let (key, value) = match text.split_once('=') {
                    Some((key, value)) => (key, Some(value)),
                    None => (text.as_str(), None),
                };
                if may_be_unset && key.ends_with(char::is_whitespace) {
                    return Err(format!(
                        "environment variable {key} is declared with a trailing space"
                    ));
                }
                let value = match value {
                    None if may_be_unset => Node::null(item.at),
                    value => Node::text(item.at, value.unwrap_or_default()),
                };
                map.insert(key.to_owned(), value);
            }
            Ok(Value::Map(map))
        }
        other => Err(format!("expected a list or a mapping, found {}", found(&other))),
    }
}

/// `HOST=ADDRESS` for each address, in order.
fn hosts(value: Value) -> Read {
    let mut out: Vec<String> = Vec::new();
    let mut add = |host: &str, address: &str| {
        if host.is_empty() || host.contains([':', '=']) {
            return Err(format!("bad host name '{host}'"));
        }
        let bare = address.strip_prefix('[').and_then(|a| a.strip_suffix(']'));
        out.push(format!("{host}={}", bare.filter(|a| !a.is_empty()).unwrap_or(address)));
        Ok(())
    };
    match value {
        Value::Map(map) => {
            for (host, node) in &map {
                match &node.value {
                    Value::List(addresses) => {
                        addresses.iter().try_for_each(|address| add(host, &shown(address)))?;
                    }
                    _ => add(host, &shown(node))?,
                }
            }
        }
        Value::List(items) => {
            for item in &items {
                let text = shown(item);
                let split = text.split_once('=').or_else(|| text.split_once(':'));
                let (host, addresses) =
                    split.ok_or_else(|| format!("invalid additional host, missing IP: {text}"))?;
                addresses.split(',').try_for_each(|address| add(host, address))?;
            }
        }
        other => return Err(format!("expected a list or a mapping, found {}", found(&other))),
    }
    out.sort();
    Ok(list(out))
}
