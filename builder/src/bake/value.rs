//! Values of expressions: what variables hold, functions take and attributes get.
//!
//! The kinds are those that JSON has, as bake's own language has them too. Lists, sets and tuples are one kind, maps
//! and objects another. Numbers are those of a processor, not of any length.

use std::collections::BTreeMap;

use serde_json::Value as Json;

/// What an expression comes to.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Value>),
    Map(BTreeMap<String, Value>),
}

impl Value {
    /// The kind in words.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Number(_) => "number",
            Self::Text(_) => "string",
            Self::List(_) => "list",
            Self::Map(_) => "map",
        }
    }

    /// As text, where it has one; null has none.
    pub(super) fn text(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Number(number) => Some(number.to_string()),
            Self::Bool(yes) => Some(yes.to_string()),
            Self::Null | Self::List(_) | Self::Map(_) => None,
        }
    }

    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.parse().ok().filter(|number: &f64| number.is_finite()),
            _ => None,
        }
    }

    /// Text counts where it says what a truth value is.
    pub(super) fn truth(&self) -> Option<bool> {
        match self {
            Self::Bool(yes) => Some(*yes),
            Self::Text(text) => match text.as_str() {
                "true" | "1" => Some(true),
                "false" | "0" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    /// The parts of a list, or the values of a map.
    pub(super) fn parts(&self) -> Option<Vec<Value>> {
        match self {
            Self::List(list) => Some(list.clone()),
            Self::Map(map) => Some(map.values().cloned().collect()),
            _ => None,
        }
    }

    /// How much room it takes, roughly, for [`super::limits`].
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::Null | Self::Bool(_) | Self::Number(_) => 1,
            Self::Text(text) => 1 + text.len(),
            Self::List(list) => 1 + list.iter().map(Self::weight).sum::<usize>(),
            Self::Map(map) => {
                1 + map.iter().map(|(key, value)| key.len() + value.weight()).sum::<usize>()
            }
        }
    }

    pub(super) fn from_json(json: &Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(yes) => Self::Bool(*yes),
            Json::Number(number) => Self::Number(number.as_f64().unwrap_or_default()),
            Json::String(text) => Self::Text(text.clone()),
            Json::Array(list) => Self::List(list.iter().map(Self::from_json).collect()),
            Json::Object(map) => Self::Map(
                map.iter().map(|(key, value)| (key.clone(), Self::from_json(value))).collect(),
            ),
        }
    }

    /// Compact JSON, with the keys of maps in their order.
    pub(super) fn to_json(&self) -> String {
        let quoted = |text: &str| Json::String(text.to_owned()).to_string();
        match self {
            Self::Null => "null".to_owned(),
            Self::Bool(_) | Self::Number(_) => self.text().unwrap_or_default(),
            Self::Text(text) => quoted(text),
            Self::List(list) => {
                let parts: Vec<String> = list.iter().map(Self::to_json).collect();
                format!("[{}]", parts.join(","))
            }
            Self::Map(map) => {
                let part =
                    |(key, value): (&String, &Self)| format!("{}:{}", quoted(key), value.to_json());
                let parts: Vec<String> = map.iter().map(part).collect();
                format!("{{{}}}", parts.join(","))
            }
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_one_value() {
        let json: Json = serde_json::from_str(r#"{"b":[1,2.5,"x",null],"a":true}"#).unwrap();
        let value = Value::from_json(&json);
        assert_eq!(value.to_json(), r#"{"a":true,"b":[1,2.5,"x",null]}"#);
        assert_eq!(Value::Number(3.0).text().unwrap(), "3");
        assert_eq!(Value::from("1e3").number(), Some(1000.0));
        assert_eq!((Value::from("1").truth(), Value::from("x").truth()), (Some(true), None));
        assert!(value.text().is_none() && value.weight() > 5);
    }
}
