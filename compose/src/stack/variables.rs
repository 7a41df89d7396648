//! The environment of the services: files of variables, what the service sets, and what the user's own environment
//! has where that sets nothing.

use std::collections::BTreeMap;

use super::objects::absolute;
use super::read::Reader;
use crate::model::read_raw_variables;
use crate::tree::{Map, Node, Result, Value};

pub(super) fn resolve(root: &mut Node, reader: &Reader<'_>) -> Result<()> {
    let services = root.get_mut("services").and_then(Node::as_map_mut);
    for service in services.into_iter().flat_map(|map| map.values_mut()) {
        let at = service.at;
        let mut all = Map::new();
        for file in service.get("env_file").into_iter().flat_map(Node::items) {
            let path = absolute(reader.folder, file.as_text().unwrap_or_default());
            let mut read = BTreeMap::new();
            read_raw_variables(reader.sources, &path, &mut read, reader.variables)?;
            add(
                &mut all,
                read.into_iter().map(|(key, value)| (key, Node::text(at, value))),
                reader,
            );
        }
        let own = service.get("environment").and_then(Node::as_map).cloned();
        add(&mut all, own.unwrap_or_default().into_iter(), reader);
        if let Some(map) = service.as_map_mut()
            && (!all.is_empty() || map.contains_key("environment"))
        {
            map.insert("environment".to_owned(), Node::new(at, Value::Map(all)));
        }
    }
    Ok(())
}

/// What is empty or without a value takes that of the user's environment.
fn add(all: &mut Map, more: impl Iterator<Item = (String, Node)>, reader: &Reader<'_>) {
    for (key, mut node) in more {
        let blank = node.is_null() || node.as_text() == Some("");
        if let Some(value) = reader.variables.get(&key).filter(|_| blank) {
            node = Node::text(node.at, value.clone());
        }
        all.insert(key, node);
    }
}
