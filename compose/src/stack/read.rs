//! One stack file, as Docker's loader of them reads it: what it says in the order of the table, with the
//! short forms written out.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::{long, objects, template, variables};
use crate::limits::Budget;
use crate::model::Sources;
use crate::schema::{Attr, Cast, STACK_ROOT};
use crate::stages::canonical::Canonical;
use crate::stages::check;
use crate::stages::decode::decode;
use crate::stages::descend::descend;
use crate::stages::interpolate::Warnings;
use crate::stages::print::{Layout, printed};
use crate::tree::{Fault, Node, Path, Result, Value};

/// What is written where a file says nothing, and for `3`.
pub(super) const VERSION: &str = "3.13";

/// What all files of a stack share.
pub(super) struct Reader<'a> {
    pub(super) sources: &'a Sources<'a>,
    pub(super) warnings: &'a Warnings,
    pub(super) interpolate: bool,
    pub(super) variables: &'a BTreeMap<String, String>,
    /// Where relative paths begin.
    pub(super) folder: &'a str,
}

impl Reader<'_> {
    /// The file as Docker prints it. An error means that Docker refuses it.
    pub(super) fn read(&self, mut root: Node, version: &str) -> Result<Json> {
        if !is_version(version) {
            let text = format!("unsupported Compose file version: {version}");
            return Err(Fault::new(root.at, &Path::ROOT.key("version"), text));
        }
        if self.interpolate {
            self.put_in(&mut root, Some(&STACK_ROOT), &Path::ROOT)?;
        }
        check::check(&root, &STACK_ROOT)?;
        long::write_out(&mut root, self.warnings)?;
        objects::external(&mut root, version, self.warnings)?;
        let budget = Budget::default();
        let canonical = Canonical { lenient: false, warnings: self.warnings, budget: &budget };
        canonical.apply(&mut root, Some(&STACK_ROOT), &Path::ROOT)?;
        decode(&mut root, &STACK_ROOT, self.warnings, &Path::ROOT)?;
        variables::resolve(&mut root, self)?;
        objects::paths(&mut root, self)?;
        if let Some(map) = root.as_map_mut() {
            map.insert("version".to_owned(), Node::text(Default::default(), version));
        }
        let mut json = printed(&root, &STACK_ROOT, Layout::Yaml).unwrap_or(Json::Null);
        tidy(&mut json);
        Ok(json)
    }

    fn put_in(&self, node: &mut Node, attr: Option<&'static Attr>, path: &Path<'_>) -> Result<()> {
        let at = node.at;
        let Value::Text(text) = &node.value else {
            return descend(node, attr, path, &|node, attr, path| self.put_in(node, attr, path));
        };
        let put = template::substitute(text, self.variables).ok_or_else(|| {
            let text = format!("invalid interpolation format: {text}");
            Fault::new(at, path, text)
        })?;
        if put == *text {
            return Ok(());
        }
        let cast = attr.and_then(|attr| attr.cast);
        node.value = match cast {
            None => Some(Value::Text(put)),
            Some(Cast::Int) => put.parse::<i64>().ok().map(|n| Value::Int(n.into())),
            Some(Cast::Float) => put.parse().ok().map(Value::Float),
            Some(Cast::Bool) => match put.to_lowercase().as_str() {
                "y" | "yes" | "true" | "on" => Some(Value::Bool(true)),
                "n" | "no" | "false" | "off" => Some(Value::Bool(false)),
                _ => None,
            },
        }
        .ok_or_else(|| Fault::new(at, path, "failed to cast to expected type"))?;
        Ok(())
    }
}

/// The version of a file, as it is printed.
pub(super) fn version(root: &Node) -> Option<String> {
    match root.get("version") {
        None => Some(VERSION.to_owned()),
        Some(node) => node.as_text().map(|text| match text {
            "" | "3" => VERSION.to_owned(),
            text => text.to_owned(),
        }),
    }
}

fn is_version(text: &str) -> bool {
    let minor = text.strip_prefix("3.").and_then(|minor| minor.parse::<u8>().ok());
    minor.is_some_and(|minor| minor <= 13 && text == format!("3.{minor}"))
}

/// Limits of 0 and extensions that Docker does not print.
fn tidy(root: &mut Json) {
    let services = root.get_mut("services").and_then(Json::as_object_mut);
    for service in services.into_iter().flat_map(|map| map.values_mut()) {
        let limits = service.get_mut("ulimits").and_then(Json::as_object_mut);
        for limit in limits.into_iter().flat_map(|map| map.values_mut()) {
            if let Some(map) = limit.as_object_mut() {
                map.retain(|_, value| value.as_i64() != Some(0));
            }
        }
    }
    for section in ["networks", "volumes"] {
        let objects = root.get_mut(section).and_then(Json::as_object_mut);
        for object in objects.into_iter().flat_map(|map| map.values_mut()) {
            if let Some(map) = object.as_object_mut()
                && !map.contains_key("external")
            {
                map.retain(|key, _| !key.starts_with("x-") || key == "x-cluster-spec");
            }
        }
    }
}
