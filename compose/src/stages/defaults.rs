//! Fills in what the files need not say.

use crate::schema::{Attr, Default};
use crate::stages::merge::shown;
use crate::tree::{Map, Node, Value};

pub(crate) fn fill(node: &mut Node, attr: Option<&'static Attr>) {
    let at = node.at;
    if let (Some(default), Value::Map(map)) = (attr.and_then(|attr| attr.default), &mut node.value)
    {
        let put = |map: &mut Map, key: &str, text: &str| {
            map.entry(key.to_owned()).or_insert_with(|| Node::text(at, text));
        };
        match default {
            Default::Build => put(map, "context", "."),
            Default::Secret => {
                let source = map.get("source").map(shown).unwrap_or_default();
                put(map, "target", &format!("/run/secrets/{source}"));
            }
            Default::Port => {
                put(map, "protocol", "tcp");
                put(map, "mode", "ingress");
            }
            Default::DeviceRequest if map.contains_key("device_ids") => {}
            Default::DeviceRequest => put(map, "count", "all"),
        }
    }
    match &mut node.value {
        Value::Map(map) => map
            .iter_mut()
            .for_each(|(key, value)| fill(value, attr.and_then(|attr| attr.entry(key)))),
        Value::List(items) => {
            let each = attr.and_then(Attr::item);
            items.iter_mut().for_each(|item| fill(item, each));
        }
        _ => {}
    }
}
