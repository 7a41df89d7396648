//! The attributes of the format as the table has them, for the documentation and its test.

use crate::schema::{Attr, ROOT, Shape, Support};

/// One attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// `services.*.ports.*.target`; `*` is any key or item.
    pub path: String,
    /// `string | list of string`
    pub types: String,
    /// The texts that are accepted; any when empty.
    pub allowed: Vec<&'static str>,
    /// What becomes of it: `yes`, `ignored`, or a condition.
    pub support: &'static str,
}

/// All attributes, in the order of the table.
pub fn attributes() -> Vec<Attribute> {
    let mut out = Vec::new();
    below(&ROOT, "", &mut out);
    out
}

fn below(attr: &'static Attr, path: &str, out: &mut Vec<Attribute>) {
    for inner in attr.fields().into_iter().flat_map(|fields| fields.attrs) {
        let dot = if path.is_empty() { "" } else { "." };
        let path = format!("{path}{dot}{}", inner.name);
        out.push(row(inner, &path));
        below(inner, &path, out);
    }
    match attr.shape {
        Shape::List(each) => below(each, &format!("{path}.*"), out),
        Shape::Map(each, _) => {
            let path = format!("{path}.*");
            out.push(row(each, &path));
            below(each, &path, out);
        }
        _ => {}
    }
}

fn row(attr: &'static Attr, path: &str) -> Attribute {
    let support = match attr.support {
        Support::Yes => "yes",
        Support::Ignored => "ignored",
        Support::Partly(condition) => condition,
        Support::Refused => "error",
    };
    let support = crate::container::said_of(path).unwrap_or(support);
    Attribute { path: path.to_owned(), types: types(attr), allowed: attr.one_of.to_vec(), support }
}

fn types(attr: &'static Attr) -> String {
    let of_items = match attr.shape {
        Shape::List(each) => each.types.names().join("/"),
        Shape::Numbers | Shape::Texts if !attr.items.is_any() => attr.items.names().join("/"),
        _ => "string".to_owned(),
    };
    let names = attr.types.names().into_iter().map(|name| match name {
        "list" => format!("list of {of_items}"),
        name => name.to_owned(),
    });
    names.collect::<Vec<_>>().join(" | ")
}
