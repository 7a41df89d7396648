//! Variables of the project in lists of environments, and the content of secrets and configs
//! that come from variables.

use std::collections::BTreeMap;

use crate::limits::Budget;
use crate::tree::{Fault, Node, Result, Value};

/// The key under which the value of a secret travels through the stages; no file can have it,
/// because it is put in after the check.
pub(crate) const CONTENT: &str = "x-#content";

/// A bare `KEY` in a list becomes `KEY=VALUE` when the project has the variable.
pub(crate) fn resolve(
    root: &mut Node,
    variables: &BTreeMap<String, String>,
    budget: &Budget,
) -> Result<()> {
    for service in objects(root, "services") {
        let Some(environment) = service.get_mut("environment") else { continue };
        let Value::List(items) = &mut environment.value else { continue };
        for item in items {
            if let Value::Text(text) = &mut item.value
                && let Some(value) = variables.get(text.as_str())
            {
                budget.put_in(value.len()).map_err(|message| Fault::in_file(item.at, message))?;
                *text = format!("{text}={value}");
            }
        }
    }
    for name in ["secrets", "configs"] {
        for object in objects(root, name) {
            let at = object.at;
            let variable = object.get("environment").and_then(Node::as_text);
            let value = variable.and_then(|name| variables.get(name)).cloned();
            if let (Some(value), Some(map)) = (value, object.as_map_mut()) {
                budget.put_in(value.len()).map_err(|message| Fault::in_file(at, message))?;
                map.insert(CONTENT.to_owned(), Node::text(at, value));
            }
        }
    }
    Ok(())
}

fn objects<'a>(root: &'a mut Node, section: &str) -> impl Iterator<Item = &'a mut Node> {
    let map = root.get_mut(section).and_then(Node::as_map_mut);
    map.into_iter().flat_map(|map| map.values_mut())
}
