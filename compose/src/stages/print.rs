//! A decoded tree as JSON or YAML shows it: attributes in their order, nothing that is unset.

use coracle_words::duration;
use serde_json::{Map as Object, Number, Value as Json};

use crate::schema::{Attr, Fields, ROOT, Shape};
use crate::tree::{Node, Value};

/// The layouts differ in what they leave out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    Json,
    Yaml,
}

/// A whole project. JSON has its sections by name, and no models.
pub(crate) fn project(root: &Node, layout: Layout) -> Json {
    let Json::Object(mut object) = printed(root, &ROOT, layout).unwrap_or(Json::Null) else {
        return Json::Null;
    };
    if layout == Layout::Yaml {
        return Json::Object(object);
    }
    object.remove("models");
    for (key, value) in root.entries().filter(|(key, _)| key.starts_with("x-")) {
        object.insert(key.clone(), as_written(value));
    }
    object.sort_keys();
    Json::Object(object)
}

/// One object of the project by its attribute; nothing when it is not printed.
pub(crate) fn printed(node: &Node, attr: &'static Attr, layout: Layout) -> Option<Json> {
    match (attr.shape, &node.value) {
        (Shape::EnvFile(fields), Value::Map(_)) => {
            let mut file = structure(node, fields, layout);
            if let Some(object) = file.as_object_mut()
                && object.get("required") == Some(&Json::Bool(true))
            {
                object.shift_remove("required");
            }
            Some(file)
        }
        (Shape::Ulimit(_), Value::Map(_)) if layout == Layout::Yaml => {
            let limit = |key: &str| node.get(key).map_or(Json::from(0), as_written);
            Some(serde_json::json!({ "soft": limit("soft"), "hard": limit("hard") }))
        }
        // Compose takes a limit of 0 for soft and hard limits that are both 0.
        (Shape::Ulimit(_), Value::Int(0)) => Some(match layout {
            Layout::Json => Json::Object(Object::new()),
            Layout::Yaml => serde_json::json!({ "soft": 0, "hard": 0 }),
        }),
        (Shape::Struct(fields) | Shape::Inline(fields) | Shape::Ulimit(fields), Value::Map(_)) => {
            Some(structure(node, fields, layout))
        }
        (Shape::List(each), Value::List(items)) => {
            let items = items.iter().map(|item| printed(item, each, layout).unwrap_or(Json::Null));
            Some(Json::Array(items.collect()))
        }
        (Shape::Map(each, _), Value::Map(map)) => {
            let entries = map.iter().map(|(key, value)| {
                (key.clone(), printed(value, each, layout).unwrap_or(Json::Null))
            });
            Some(Json::Object(entries.collect()))
        }
        (Shape::Bytes, Value::Int(bytes)) => Some(Json::String(bytes.to_string())),
        (Shape::Duration | Shape::OptDuration, Value::Int(time)) => {
            let time = i64::try_from(*time).unwrap_or(i64::MAX);
            Some(Json::String(duration::format(time)))
        }
        (Shape::Mode, Value::Int(mode)) => Some(Json::String(format!("0{mode:o}"))),
        (Shape::Ssh, Value::Map(map)) => {
            let separator = if layout == Layout::Yaml { ": " } else { "=" };
            let keys = map.iter().map(|(id, path)| match path.as_text() {
                Some(path) if !path.is_empty() => format!("{id}{separator}{path}"),
                _ => id.clone(),
            });
            Some(Json::Array(keys.map(Json::String).collect()))
        }
        _ => Some(as_written(node)),
    }
}

fn structure(node: &Node, fields: &'static Fields, layout: Layout) -> Json {
    let mut object = Object::new();
    for attr in fields.attrs {
        if let Some(value) = attribute(node.get(attr.name), attr, layout) {
            let name = attr.json.filter(|_| layout == Layout::Json).unwrap_or(attr.name);
            object.insert(name.to_owned(), value);
        }
    }
    if layout == Layout::Yaml {
        let extensions = node.entries().filter(|(key, _)| key.starts_with("x-"));
        for (key, value) in extensions {
            object.insert(key.clone(), as_written(value));
        }
    }
    Json::Object(object)
}

/// An attribute that may be unset.
fn attribute(node: Option<&Node>, attr: &'static Attr, layout: Layout) -> Option<Json> {
    let json = layout == Layout::Json;
    let node = node.filter(|node| !node.is_null());
    match (attr.shape, node) {
        (Shape::Command, None) => json.then_some(Json::Null),
        (Shape::Inline(fields), None) => {
            json.then(|| structure(&Node::empty_map(Default::default()), fields, layout))
        }
        (Shape::Inline(_), Some(node)) => {
            let value = printed(node, attr, layout)?;
            let empty = value.as_object().is_some_and(Object::is_empty);
            (json || !empty).then_some(value)
        }
        (shape, None) => attr.always.then(|| zero(shape)),
        (_, Some(node)) if is_zero(node, attr) && !attr.always => None,
        (_, Some(node)) => printed(node, attr, layout),
    }
}

fn zero(shape: Shape) -> Json {
    match shape {
        Shape::Bool => Json::Bool(false),
        Shape::Int | Shape::Count | Shape::Float => Json::from(0),
        Shape::Bytes => Json::String("0".to_owned()),
        Shape::Map(..) => Json::Object(Object::new()),
        _ => Json::String(String::new()),
    }
}

/// Whether a value is as good as unset.
fn is_zero(node: &Node, attr: &'static Attr) -> bool {
    let optional = matches!(
        attr.shape,
        Shape::OptBool
            | Shape::OptInt
            | Shape::OptCount
            | Shape::OptDuration
            | Shape::Mode
            | Shape::Command
            | Shape::Struct(_)
    );
    !optional
        && match &node.value {
            Value::Null => true,
            Value::Bool(value) => !value,
            Value::Int(value) => *value == 0,
            Value::Float(value) => *value == 0.0,
            Value::Text(text) => text.is_empty(),
            Value::Time(_) => false,
            Value::List(items) => items.is_empty(),
            Value::Map(map) => map.is_empty(),
        }
}

/// A tree without the table.
pub(crate) fn as_written(node: &Node) -> Json {
    match &node.value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Int(value) => match (i64::try_from(*value), u64::try_from(*value)) {
            (Ok(value), _) => Json::from(value),
            (_, Ok(value)) => Json::from(value),
            _ => Json::String(value.to_string()),
        },
        Value::Float(value) => number(*value),
        Value::Text(text) | Value::Time(text) => Json::String(text.clone()),
        Value::List(items) => Json::Array(items.iter().map(as_written).collect()),
        Value::Map(map) => {
            Json::Object(map.iter().map(|(key, value)| (key.clone(), as_written(value))).collect())
        }
    }
}

/// Whole numbers without a fraction, as Go prints them.
fn number(value: f64) -> Json {
    #[expect(clippy::cast_possible_truncation, reason = "within the bounds asked for")]
    if value.fract() == 0.0 && value.abs() < 1e15 {
        return Json::from(value as i64);
    }
    Number::from_f64(value).map_or_else(|| Json::String(value.to_string()), Json::Number)
}
