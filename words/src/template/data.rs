//! What a template is applied to.

use std::fmt;

use serde_json::Value;

/// What a template is applied to.
#[derive(Debug, Clone, Copy)]
pub enum Data<'a> {
    /// A JSON document, as the inspect commands have.
    Document { value: &'a Value, missing: Missing },
    /// Fields by name, such as a row of a list command or its header line.
    Fields(&'a dyn Fields),
}

/// How a field that the document lacks is reported.
#[derive(Debug, Clone, Copy)]
pub enum Missing {
    /// `map has no entry for key "X"`
    Map,
    /// `can't evaluate field X in type T`
    Type(&'static str),
}

/// An object that is no document: what it has, it gives by name.
pub trait Fields: fmt::Debug {
    /// The field, or `None` when there is none of that name.
    fn field(&self, name: &str) -> Option<Value>;

    /// What `.Label "key"` gives.
    fn label(&self, key: &str) -> String;

    /// What messages call the object, such as `*formatter.ContainerContext`.
    fn type_name(&self) -> &str;

    /// All of it, as `{{json .}}` and `{{.}}` show it.
    fn json(&self) -> String;

    /// Whether this is the header line above others: it shows titles, whatever is done to the
    /// values below it.
    fn is_header(&self) -> bool {
        false
    }
}
