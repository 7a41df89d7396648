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
    /// What a template may ask for that is part of an object, as in a service.
    Context(&'a Context<'a>),
}

/// A document all of whose fields are known: what is not there is an error, in a map too.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    pub value: &'a Value,
    /// What Go calls the structure under this key; the document itself is under the empty one. `None` for a map.
    pub type_of: fn(&str) -> Option<&'static str>,
    /// Functions besides Go's own; [`Template::parse_with`] was given their names.
    ///
    /// [`Template::parse_with`]: super::Template::parse_with
    pub functions: &'a dyn Functions,
}

/// Functions of a template's surroundings.
pub trait Functions: fmt::Debug {
    /// Calls one; `None` when there is none of that name.
    ///
    /// # Errors
    /// In words.
    fn call(&self, name: &str, arguments: &[Value]) -> Option<Result<String, String>>;
}

/// How a field that the document lacks is reported.
#[derive(Debug, Clone, Copy)]
pub enum Missing {
    /// `map has no entry for key "X"`
    Map,
    /// The same, also of fields that are absent because they are empty.
    Raw,
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
