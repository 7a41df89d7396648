//! Bake files to blocks and attributes: HCL as it stands, and JSON in the form that HCL has for it.
//!
//! # JSON
//!
//! A key that names a block (`target`, `group`, `variable`, `function`) has a map of labels, or a list of such maps;
//! every other key is an attribute. Text is a template, as in quotes in HCL.

use hcl_edit::Span as _;
use hcl_edit::expr::{Array, Expression, Object, ObjectKey, ObjectValue};
use hcl_edit::structure::{self, Structure};
use hcl_edit::template::{StringTemplate, Template};
use serde_json::Value as Json;

use super::error::{BakeError, Place};

#[derive(Clone, Debug, Default)]
pub(super) struct Body {
    pub(super) attributes: Vec<Attribute>,
    pub(super) blocks: Vec<Block>,
}

#[derive(Clone, Debug)]
pub(super) struct Attribute {
    pub(super) name: String,
    pub(super) expression: Expression,
    pub(super) place: Place,
}

#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) kind: String,
    pub(super) label: String,
    pub(super) body: Body,
    pub(super) place: Place,
}

/// Kinds of blocks that have a label.
pub(super) const LABELLED: [&str; 4] = ["target", "group", "variable", "function"];

impl Body {
    pub(super) fn get(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }
}

/// Reads one file; what is in JSON is known by its first letter where the name does not say it.
pub(super) fn read(name: &str, text: &str) -> Result<Body, BakeError> {
    let lower = name.to_lowercase();
    let is_json = lower.ends_with(".json")
        || (!lower.ends_with(".hcl") && text.trim_start().starts_with('{'));
    if is_json {
        let json: Json = serde_json::from_str(text).map_err(|error| {
            let place = Place { file: name.into(), line: error.line(), column: error.column() };
            BakeError::new(place, format!("invalid JSON: {error}"))
        })?;
        return json_body(&json, &Place::of(name));
    }
    let parsed: structure::Body = text.parse().map_err(|error: hcl_edit::parser::Error| {
        let at = error.location();
        let place = Place { file: name.into(), line: at.line(), column: at.column() };
        BakeError::new(place, format!("invalid HCL: {}", error.message()))
    })?;
    hcl_body(&parsed, name, text)
}

fn hcl_body(parsed: &structure::Body, name: &str, text: &str) -> Result<Body, BakeError> {
    let mut body = Body::default();
    for structure in parsed {
        let place = Place::at(name, text, structure.span().map_or(0, |span| span.start));
        match structure {
            Structure::Attribute(attribute) => {
                let key = attribute.key.as_str().to_owned();
                let at = attribute.value.span().map_or(0, |span| span.start);
                let place = Place::at(name, text, at);
                body.attributes.push(Attribute {
                    name: key,
                    expression: attribute.value.clone(),
                    place,
                });
            }
            Structure::Block(block) => {
                let kind = block.ident.as_str().to_owned();
                let labels: Vec<&str> =
                    block.labels.iter().map(structure::BlockLabel::as_str).collect();
                let label = label(&kind, &labels, &place)?;
                let inner = hcl_body(&block.body, name, text)?;
                body.blocks.push(Block { kind, label, body: inner, place });
            }
        }
    }
    Ok(body)
}

fn label(kind: &str, labels: &[&str], place: &Place) -> Result<String, BakeError> {
    match (LABELLED.contains(&kind), labels) {
        (true, [one]) => Ok((*one).to_owned()),
        (false, []) => Ok(String::new()),
        _ => {
            let why = format!("Invalid block; invalid block label: {labels:?} of {kind}");
            Err(BakeError::new(place.clone(), why))
        }
    }
}

fn json_body(json: &Json, place: &Place) -> Result<Body, BakeError> {
    let Json::Object(map) = json else {
        return Err(BakeError::new(place.clone(), "a map is required".to_owned()));
    };
    let mut body = Body::default();
    for (name, value) in map {
        if name == "//" {
            continue;
        }
        if !LABELLED.contains(&name.as_str()) && name != "validation" {
            let expression = expression(value).map_err(|why| BakeError::new(place.clone(), why))?;
            body.attributes.push(Attribute {
                name: name.clone(),
                expression,
                place: place.clone(),
            });
            continue;
        }
        for maps in one_or_more(value) {
            let mut push = |label: &str, inner: &Json| {
                let (kind, label, place) = (name.clone(), label.to_owned(), place.clone());
                let block = Block { kind, label, body: json_body(inner, &place)?, place };
                body.blocks.push(block);
                Ok(())
            };
            match maps {
                inner if name == "validation" => push("", inner)?,
                Json::Object(labels) => {
                    for (label, inner) in labels {
                        one_or_more(inner).try_for_each(|inner| push(label, inner))?;
                    }
                }
                _ => {
                    return Err(BakeError::new(
                        place.clone(),
                        format!("{name} needs a map of names"),
                    ));
                }
            }
        }
    }
    Ok(body)
}

fn one_or_more(value: &Json) -> impl Iterator<Item = &Json> {
    match value {
        Json::Array(list) => list.iter(),
        one => std::slice::from_ref(one).iter(),
    }
}

fn expression(json: &Json) -> Result<Expression, String> {
    Ok(match json {
        Json::Null => Expression::null(),
        Json::Bool(yes) => Expression::from(*yes),
        Json::Number(number) => {
            let number = number.as_f64().and_then(hcl_edit::Number::from_f64);
            Expression::from(number.ok_or("a number out of range")?)
        }
        Json::String(text) => template(text)?,
        Json::Array(list) => {
            Expression::from(list.iter().map(expression).collect::<Result<Array, _>>()?)
        }
        Json::Object(map) => {
            let mut object = Object::new();
            for (key, value) in map {
                let key = ObjectKey::from(template(key)?);
                object.insert(key, ObjectValue::from(expression(value)?));
            }
            Expression::from(object)
        }
    })
}

/// Text with `${…}` in it.
fn template(text: &str) -> Result<Expression, String> {
    if !text.contains("${") && !text.contains("%{") {
        return Ok(Expression::from(text));
    }
    let parsed: Template = text
        .parse()
        .map_err(|error: hcl_edit::parser::Error| format!("in {text:?}: {}", error.message()))?;
    Ok(Expression::from(parsed.into_iter().collect::<StringTemplate>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_form_for_both() {
        let hcl = "x = 1\ntarget \"a\" {\n  tags = [\"t\"]\n}\nvariable \"V\" {}\n";
        let json = r#"{"x": 1, "target": {"a": {"tags": ["t"]}}, "variable": {"V": {}}}"#;
        for (name, text) in [("f.hcl", hcl), ("f.json", json), ("-", json)] {
            let body = read(name, text).unwrap();
            let mut blocks: Vec<_> = body.blocks.iter().map(|b| (&*b.kind, &*b.label)).collect();
            blocks.sort_unstable();
            assert_eq!(blocks, [("target", "a"), ("variable", "V")], "{name}");
            assert_eq!(body.attributes[0].name, "x");
        }
        let body = read("f.hcl", hcl).unwrap();
        assert_eq!(body.blocks[0].body.attributes[0].place.line, 3);
    }

    #[test]
    fn faults_have_a_place() {
        let fault = |name: &str, text: &str| read(name, text).unwrap_err().to_string();
        assert!(fault("b.hcl", "target \"a\" {\n  x = \n}\n").starts_with("b.hcl:2,"));
        assert!(fault("b.json", "{\n\"a\":}").starts_with("b.json:2,"));
        assert!(fault("b.hcl", "target {}").contains("invalid block label"));
        let deep = format!("a = {}1{}", "(".repeat(5000), ")".repeat(5000));
        assert!(fault("b.hcl", &deep).contains("b.hcl:1,"));
    }
}
