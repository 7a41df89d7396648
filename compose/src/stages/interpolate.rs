//! Puts variables into values, and gives the results the types that attributes want.
//! Keys are left alone.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};

use crate::limits::Budget;
use crate::schema::{Attr, Cast};
use crate::text::template::{Lookup, substitute};
use crate::tree::{Fault, Node, Path, Result, Value};

/// Things to tell the user; each is said once.
#[derive(Debug, Default)]
pub(crate) struct Warnings {
    said: RefCell<Vec<String>>,
    known: RefCell<HashSet<String>>,
}

impl Warnings {
    pub(crate) fn add(&self, text: String) {
        if self.known.borrow_mut().insert(text.clone()) {
            self.said.borrow_mut().push(text);
        }
    }

    pub(crate) fn take(&self) -> Vec<String> {
        self.said.take()
    }
}

/// The variables of a project or an included one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Environment<'a> {
    pub(crate) variables: &'a BTreeMap<String, String>,
    pub(crate) warnings: &'a Warnings,
}

impl Lookup for Environment<'_> {
    fn get(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    fn missing(&self, name: &str) {
        let text = format!("The {name:?} variable is not set. Defaulting to a blank string.");
        self.warnings.add(text);
    }
}

pub(crate) fn interpolate(
    node: &mut Node,
    attr: Option<&'static Attr>,
    environment: &Environment<'_>,
    budget: &Budget,
    path: &Path<'_>,
) -> Result<()> {
    let at = node.at;
    match &mut node.value {
        Value::Text(text) => {
            let had_variables = text.contains('$');
            let text = substitute(text, environment).map_err(|error| {
                let fault = Fault::new(at, path, error.message());
                error.hint().into_iter().fold(fault, Fault::hint)
            })?;
            if had_variables {
                budget.put_in(text.len()).map_err(|message| Fault::new(at, path, message))?;
            }
            let cast = attr.and_then(|attr| attr.cast);
            node.value = match cast {
                None => Value::Text(text),
                Some(cast) => as_type(&text, cast, environment.warnings)
                    .map_err(|message| Fault::new(at, path, message))?,
            };
            Ok(())
        }
        Value::List(items) => {
            let each = attr.and_then(Attr::item);
            items.iter_mut().enumerate().try_for_each(|(index, item)| {
                interpolate(item, each, environment, budget, &path.index(index))
            })
        }
        Value::Map(map) => map.iter_mut().try_for_each(|(key, value)| {
            let attr = attr.and_then(|attr| attr.entry(key));
            interpolate(value, attr, environment, budget, &path.key(key))
        }),
        _ => Ok(()),
    }
}

fn as_type(text: &str, cast: Cast, warnings: &Warnings) -> std::result::Result<Value, String> {
    match cast {
        Cast::Bool => boolean(text, warnings).map(Value::Bool),
        Cast::Int => integer(text).map(Value::Int),
        Cast::Float => float(text).map(Value::Float),
    }
}

/// Also the words of YAML 1.1, with a warning.
pub(crate) fn boolean(text: &str, warnings: &Warnings) -> std::result::Result<bool, String> {
    let warn = |instead: &str| {
        warnings.add(format!(
            "{text:?} for boolean is not supported by YAML 1.2, please use `{instead}`"
        ));
    };
    match text.to_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        "y" | "yes" | "on" => {
            warn("true");
            Ok(true)
        }
        "n" | "no" | "off" => {
            warn("false");
            Ok(false)
        }
        _ => Err(format!("invalid boolean: expected true or false, found {text:?}")),
    }
}

pub(crate) fn integer(text: &str) -> std::result::Result<i128, String> {
    text.parse::<i64>().map(i128::from).map_err(|_| format!("expected an integer, found {text:?}"))
}

pub(crate) fn float(text: &str) -> std::result::Result<f64, String> {
    let value = text.parse::<f64>().ok().filter(|value| value.is_finite());
    value.ok_or_else(|| format!("expected a number, found {text:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::ROOT;

    fn done(text: &str) -> std::result::Result<Node, String> {
        let mut root = crate::yaml::read(0, text.as_bytes()).unwrap().remove(0).root;
        let variables = BTreeMap::from([("N".to_owned(), "3".to_owned())]);
        let warnings = Warnings::default();
        let environment = Environment { variables: &variables, warnings: &warnings };
        interpolate(&mut root, Some(&ROOT), &environment, &Budget::default(), &Path::ROOT)
            .map(|()| root)
            .map_err(|fault| format!("{}: {}", fault.key.unwrap_or_default(), fault.message))
    }

    #[test]
    fn types_follow_the_attribute() {
        let root = done("services: {w: {scale: $N, image: $N, tty: yes, $N: x}}").unwrap();
        let service = root.get("services").and_then(|s| s.get("w")).unwrap();
        assert_eq!(service.get("scale").unwrap().value, Value::Int(3));
        assert_eq!(service.get("image").unwrap().as_text(), Some("3"));
        assert_eq!(service.get("tty").unwrap().value, Value::Bool(true));
        assert!(service.get("$N").is_some());
    }

    #[test]
    fn mistakes_name_the_attribute() {
        for (text, message) in [
            (
                "services: {w: {scale: three}}",
                "services.w.scale: expected an integer, found \"three\"",
            ),
            (
                "services: {w: {ports: [{target: x}]}}",
                "services.w.ports[0].target: expected an integer, found \"x\"",
            ),
            (
                "services: {w: {privileged: perhaps}}",
                "services.w.privileged: invalid boolean: expected true or false, found \"perhaps\"",
            ),
            (
                "services: {w: {image: '${V'}}",
                "services.w.image: invalid interpolation format: ${V",
            ),
        ] {
            assert_eq!(done(text).unwrap_err(), message);
        }
    }
}
