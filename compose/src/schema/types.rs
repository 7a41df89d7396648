//! Sets of types of values.

use super::attr::Shape;
use crate::tree::{Node, Value};

/// One bit for each type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Types(u8);

pub(super) const NULL: Types = Types(1);
pub(super) const BOOL: Types = Types(2);
pub(super) const INT: Types = Types(4);
/// Whole numbers and others.
pub(super) const NUM: Types = Types(4 | 8);
pub(super) const STR: Types = Types(16);
pub(super) const LIST: Types = Types(32);
pub(super) const MAP: Types = Types(64);
const NOTHING: Types = Types(0);

const NAMES: [(Types, &str, &str); 7] = [
    (NULL, "null", "null"),
    (STR, "string", "a string"),
    (BOOL, "boolean", "a boolean"),
    (INT, "integer", "an integer"),
    (Types(8), "number", "a number"),
    (LIST, "list", "a list"),
    (MAP, "map", "a mapping"),
];

impl Types {
    pub(super) const fn or(self, other: Types) -> Types {
        Types(self.0 | other.0)
    }

    pub(crate) const fn has(self, other: Types) -> bool {
        self.0 & other.0 == other.0
    }

    pub(crate) const fn is_any(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn accepts(self, node: &Node) -> bool {
        let wanted = match node.value {
            Value::Null => NULL,
            Value::Bool(_) => BOOL,
            Value::Int(_) => INT,
            Value::Float(value) if value.fract() == 0.0 => INT,
            Value::Float(_) => Types(8),
            Value::Text(_) => STR,
            Value::Time(_) => return false,
            Value::List(_) => LIST,
            Value::Map(_) => MAP,
        };
        self.has(wanted)
    }

    fn each(self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let fractions = self.has(Types(8));
        NAMES
            .iter()
            .filter(move |(bit, ..)| self.has(*bit) && !(fractions && *bit == INT))
            .map(|(_, short, long)| (*short, *long))
    }

    /// `a string, a list or a mapping`
    pub(crate) fn in_words(self) -> String {
        let names: Vec<&str> = self.each().map(|(_, long)| long).collect();
        match names.split_last() {
            None => "nothing".to_owned(),
            Some((last, [])) => (*last).to_owned(),
            Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        }
    }

    /// `string`, `list`, …, for tables.
    pub(crate) fn names(self) -> Vec<&'static str> {
        self.each().map(|(short, _)| short).collect()
    }
}

/// What a shape accepts unless its attribute says otherwise, and what its items are.
pub(super) const fn of_shape(shape: &Shape) -> (Types, Types) {
    match shape {
        Shape::Text | Shape::Duration | Shape::OptDuration => (STR, NOTHING),
        Shape::Bool | Shape::OptBool => (BOOL.or(STR), NOTHING),
        Shape::Int
        | Shape::OptInt
        | Shape::Count
        | Shape::OptCount
        | Shape::Bytes
        | Shape::DeviceCount => (INT.or(STR), NOTHING),
        Shape::Float | Shape::Mode => (NUM.or(STR), NOTHING),
        Shape::Texts => (LIST, STR),
        Shape::TextOrTexts | Shape::Probe => (STR.or(LIST), STR),
        Shape::Numbers => (LIST, NUM.or(STR)),
        Shape::Command => (NULL.or(STR).or(LIST), STR),
        Shape::Mapping | Shape::Environment | Shape::Ssh => {
            (LIST.or(MAP), STR.or(NUM).or(BOOL).or(NULL))
        }
        Shape::Hosts => (LIST.or(MAP), STR.or(LIST)),
        Shape::Options => (MAP, STR.or(NUM)),
        Shape::Strings => (MAP, NOTHING),
        Shape::MultiOptions => (MAP, STR.or(NUM).or(BOOL).or(LIST)),
        Shape::Struct(_) | Shape::Inline(_) | Shape::Map(..) => (MAP, NOTHING),
        Shape::List(_) => (LIST, NOTHING),
        Shape::Ulimit(_) => (INT.or(STR).or(MAP), NOTHING),
        Shape::EnvFile(_) => (STR.or(MAP), NOTHING),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        assert_eq!(STR.in_words(), "a string");
        assert_eq!(NUM.or(STR).in_words(), "a string or a number");
        assert_eq!(NULL.or(STR).or(LIST).in_words(), "null, a string or a list");
        assert_eq!(INT.names(), ["integer"]);
    }
}
