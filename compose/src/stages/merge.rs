//! A later file on top of an earlier one, and a service on top of the one it extends.

use std::collections::HashSet;
use std::mem::take;

use crate::schema::{Attr, Merge};
use crate::text::numbers::general;
use crate::tree::{Fault, Map, Node, Path, Result, Value};

/// `base` with what `over` says.
pub(crate) fn merge(
    base: Node,
    over: Node,
    attr: Option<&'static Attr>,
    path: &Path<'_>,
) -> Result<Node> {
    let rule = attr.map_or(Merge::Deep, |attr| attr.merge);
    let at = over.at;
    match rule {
        Merge::Replace => Ok(over),
        _ if over.is_null() && !matches!(rule, Merge::Sequence | Merge::IpamConfig) => Ok(base),
        Merge::Sequence => {
            let mut items = sequence(base);
            items.extend(sequence(over));
            Ok(Node::new(at, Value::List(items)))
        }
        Merge::ExtraHosts => {
            let mut items = sequence(base);
            let known: HashSet<String> = items.iter().map(shown).collect();
            items.extend(sequence(over).into_iter().filter(|item| !known.contains(&shown(item))));
            Ok(Node::new(at, Value::List(items)))
        }
        Merge::Build => mappings(with_context(base), with_context(over), attr, path),
        Merge::DependsOn => mappings(
            named(base, &|at| usual_dependency(at)),
            named(over, &|at| usual_dependency(at)),
            attr,
            path,
        ),
        Merge::Names => mappings(named(base, &Node::null), named(over, &Node::null), attr, path),
        Merge::Logging => match (base.get("driver"), over.get("driver")) {
            (Some(a), Some(b)) if a != b => Ok(over),
            _ => mappings(base, over, attr, path),
        },
        Merge::IpamConfig => ipam_config(base, over, attr, path),
        Merge::Deep => deep(base, over, attr, path),
    }
}

fn deep(base: Node, over: Node, attr: Option<&'static Attr>, path: &Path<'_>) -> Result<Node> {
    match (&base.value, &over.value) {
        (Value::Map(_), Value::Map(_)) => mappings(base, over, attr, path),
        (Value::List(_), Value::List(_)) => {
            let mut base = base;
            if let (Value::List(items), Value::List(new)) = (&mut base.value, over.value) {
                items.extend(new);
            }
            Ok(base)
        }
        (Value::Map(_) | Value::List(_), _) => {
            let text = format!("cannot override {} with {}", base.kind(), over.kind());
            Err(Fault::new(over.at, path, text)
                .hint("write it as the earlier file does, or tag it with !override"))
        }
        _ => Ok(over),
    }
}

/// By key; what is no mapping has no entries.
fn mappings(base: Node, over: Node, attr: Option<&'static Attr>, path: &Path<'_>) -> Result<Node> {
    let at = base.at;
    let (Value::Map(mut map), Value::Map(new)) = (base.value, over.value) else {
        let text = "cannot be merged: both files must write it as a mapping or a list";
        return Err(Fault::new(at, path, text));
    };
    for (key, value) in new {
        let merged = match map.get_mut(&key).map(|old| Node::new(old.at, take(&mut old.value))) {
            None => value,
            Some(old) => {
                let attr = attr.and_then(|attr| attr.entry(&key));
                merge(old, value, attr, &path.key(&key))?
            }
        };
        map.insert(key, merged);
    }
    Ok(Node::new(at, Value::Map(map)))
}

/// A list of texts: a mapping gives `KEY=VALUE`, in order.
fn sequence(node: Node) -> Vec<Node> {
    match node.value {
        Value::List(items) => items,
        Value::Map(map) => {
            let mut items = Vec::new();
            for (key, value) in map {
                let at = value.at;
                let entry = |value: &Node| Node::text(at, format!("{key}={}", shown(value)));
                match &value.value {
                    Value::Null => items.push(Node::text(at, key)),
                    Value::List(values) => items.extend(values.iter().map(entry)),
                    _ => items.push(entry(&value)),
                }
            }
            items.sort_by(|a, b| a.as_text().cmp(&b.as_text()));
            items
        }
        Value::Text(_) => vec![node],
        _ => Vec::new(),
    }
}

/// A value as text, collections too as Go prints them.
pub(crate) fn shown(node: &Node) -> String {
    match &node.value {
        Value::Null => String::new(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) => general(*value),
        Value::Text(text) | Value::Time(text) => text.clone(),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(inner).collect();
            format!("[{}]", items.join(" "))
        }
        Value::Map(map) => {
            let entries: Vec<String> =
                map.iter().map(|(key, value)| format!("{key}:{}", inner(value))).collect();
            format!("map[{}]", entries.join(" "))
        }
    }
}

/// A value inside a collection.
fn inner(node: &Node) -> String {
    if node.is_null() { "<nil>".to_owned() } else { shown(node) }
}

fn with_context(node: Node) -> Node {
    match node.value {
        Value::Text(_) => Node::map(node.at, [("context", node)]),
        Value::Null => Node::empty_map(node.at),
        _ => node,
    }
}

/// A list of names as a mapping to what stands for a bare name.
fn named(node: Node, value: &dyn Fn(crate::tree::At) -> Node) -> Node {
    let at = node.at;
    match node.value {
        Value::List(items) => {
            let entry = |item: Node| Some((item.as_text()?.to_owned(), value(item.at)));
            let map: Map = items.into_iter().filter_map(entry).collect();
            Node::new(at, Value::Map(map))
        }
        Value::Null => Node::empty_map(at),
        _ => node,
    }
}

/// What `depends_on: [NAME]` stands for.
pub(crate) fn usual_dependency(at: crate::tree::At) -> Node {
    let condition = Node::text(at, "service_started");
    Node::map(at, [("condition", condition), ("required", Node::bool(at, true))])
}

/// Pools of the same subnet are merged; as Compose does it, pair by pair.
fn ipam_config(
    base: Node,
    over: Node,
    attr: Option<&'static Attr>,
    path: &Path<'_>,
) -> Result<Node> {
    let at = base.at;
    let (Value::List(old), Value::List(new)) = (base.value, over.value) else {
        return Err(Fault::new(at, path, "cannot be merged: both files must write it as a list"));
    };
    let each = attr.and_then(Attr::item);
    let mut pools: Vec<Node> = Vec::new();
    let position = |pools: &[Node], pool: &Node| {
        pools.iter().position(|known| known.get("subnet") == pool.get("subnet"))
    };
    for (index, original) in old.into_iter().enumerate() {
        let mut original = original;
        for over in &new {
            if over.get("subnet") != original.get("subnet") && position(&pools, over).is_none() {
                pools.push(over.clone());
                continue;
            }
            original = mappings(original, over.clone(), each, &path.index(index))?;
            match position(&pools, &original) {
                Some(known) => pools[known] = original.clone(),
                None => pools.push(original.clone()),
            }
        }
    }
    Ok(Node::new(at, Value::List(pools)))
}
