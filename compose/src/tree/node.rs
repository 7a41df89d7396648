//! A value and where it stands.

use std::collections::BTreeMap;

/// A place in a file. The value of an attribute stands where its key does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct At {
    /// Index into the list of files read; see [`crate::model::Sources`].
    pub(crate) file: u16,
    /// From 1; 0 when no line is to blame.
    pub(crate) line: u32,
    /// From 1.
    pub(crate) column: u32,
}

/// Keys in order: what is printed must not depend on how it was written.
pub(crate) type Map = BTreeMap<String, Node>;

#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) at: At,
    pub(crate) value: Value,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) enum Value {
    #[default]
    Null,
    Bool(bool),
    /// Wide enough for both signs of 64 bits.
    Int(i128),
    Float(f64),
    Text(String),
    /// A date, which no attribute takes.
    Time(String),
    List(Vec<Node>),
    Map(Map),
}

/// Nodes are the same when their values are, wherever they stand.
impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl Node {
    pub(crate) fn new(at: At, value: Value) -> Self {
        Self { at, value }
    }

    pub(crate) fn text(at: At, text: impl Into<String>) -> Self {
        Self { at, value: Value::Text(text.into()) }
    }

    pub(crate) fn bool(at: At, value: bool) -> Self {
        Self { at, value: Value::Bool(value) }
    }

    pub(crate) fn null(at: At) -> Self {
        Self { at, value: Value::Null }
    }

    pub(crate) fn empty_map(at: At) -> Self {
        Self { at, value: Value::Map(Map::new()) }
    }

    /// A mapping of these entries.
    pub(crate) fn map<const N: usize>(at: At, entries: [(&str, Node); N]) -> Self {
        let map = entries.into_iter().map(|(key, node)| (key.to_owned(), node)).collect();
        Self { at, value: Value::Map(map) }
    }

    pub(crate) fn as_map(&self) -> Option<&Map> {
        match &self.value {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    pub(crate) fn as_map_mut(&mut self) -> Option<&mut Map> {
        match &mut self.value {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    pub(crate) fn as_list(&self) -> Option<&[Node]> {
        match &self.value {
            Value::List(list) => Some(list),
            _ => None,
        }
    }

    pub(crate) fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn as_bool(&self) -> Option<bool> {
        match self.value {
            Value::Bool(value) => Some(value),
            _ => None,
        }
    }

    pub(crate) fn as_int(&self) -> Option<i128> {
        match self.value {
            Value::Int(value) => Some(value),
            _ => None,
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        self.value == Value::Null
    }

    /// The entry of a mapping; nothing when it is something else.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.as_map()?.get(key)
    }

    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.as_map_mut()?.get_mut(key)
    }

    /// Entries of a mapping that may be missing.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&String, &Node)> {
        self.as_map().into_iter().flatten()
    }

    /// Items of a list that may be missing.
    pub(crate) fn items(&self) -> impl Iterator<Item = &Node> {
        self.as_list().into_iter().flatten()
    }

    /// How many values it has, itself included.
    pub(crate) fn size(&self) -> usize {
        1 + match &self.value {
            Value::List(list) => list.iter().map(Node::size).sum(),
            Value::Map(map) => map.values().map(Node::size).sum(),
            _ => 0,
        }
    }

    /// What kind of value it is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Int(_) | Value::Float(_) => "a number",
            Value::Text(_) => "a string",
            Value::Time(_) => "a date",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }
}
