//! Values while a template runs.

use serde_json::Value;

use super::print;

/// A value while a template runs.
#[derive(Debug, Clone)]
pub(super) enum Val {
    /// A JSON value and the key it was found under, which decides how it prints.
    Json(Value, String),
    Null(Zero),
    /// The object the template is applied to.
    Root,
}

/// How an absent value prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zero {
    List,
    Map,
    Pointer,
    Text,
    /// A key that a map does not have: it is no error, as with the maps of Go's templates.
    Absent,
}

impl Val {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Json(Value::String(text.into()), String::new())
    }

    pub(super) fn of(value: Value) -> Self {
        Self::named(value, "")
    }

    pub(super) fn named(value: Value, key: &str) -> Self {
        match value {
            Value::Null => Self::Null(print::zero_of(key)),
            other => Self::Json(other, key.to_owned()),
        }
    }

    /// As JSON has it; the document itself is `root`.
    pub(super) fn plain(&self, root: &Value) -> Value {
        match self {
            Self::Root => root.clone(),
            Self::Null(_) => Value::Null,
            Self::Json(value, _) => value.clone(),
        }
    }

    pub(super) fn truth(&self) -> bool {
        match self {
            Self::Root => true,
            Self::Null(_) => false,
            Self::Json(value, _) => match value {
                Value::Null => false,
                Value::Bool(b) => *b,
                Value::Number(n) => n.as_f64() != Some(0.0),
                Value::String(s) => !s.is_empty(),
                Value::Array(a) => !a.is_empty(),
                Value::Object(o) => !o.is_empty(),
            },
        }
    }
}
