//! Files of variables and labels that services name are read into them.

use std::collections::BTreeMap;

use super::{Sources, env_file};
use crate::files::FileKind;
use crate::limits::Budget;
use crate::stages::interpolate::{Environment, Warnings};
use crate::text::dotenv::Variables;
use crate::text::template::Lookup;
use crate::tree::{Fault, Map, Node, Path, Result, Value};

/// What a file of a service is expanded with: the project first, then the service.
struct Outside<'a> {
    project: Environment<'a>,
    own: &'a Map,
}

impl Lookup for Outside<'_> {
    fn get(&self, name: &str) -> Option<String> {
        let own = || self.own.get(name)?.as_text().map(str::to_owned);
        self.project.get(name).or_else(own)
    }

    fn missing(&self, name: &str) {
        self.project.missing(name);
    }
}

/// `env_file` goes into `environment`, which wins.
pub(crate) fn resolve_environment(
    services: &mut Map,
    variables: &BTreeMap<String, String>,
    sources: &Sources<'_>,
    warnings: &Warnings,
    budget: &Budget,
) -> Result<()> {
    for (name, service) in services {
        let Some(service) = service.as_map_mut() else { continue };
        let files = service.remove("env_file");
        let mut own = match service.remove("environment") {
            Some(Node { value: Value::Map(map), .. }) => map,
            _ => Map::new(),
        };
        for (key, value) in &mut own {
            if value.is_null()
                && let Some(found) = variables.get(key)
            {
                budget.put_in(found.len()).map_err(|message| Fault::in_file(value.at, message))?;
                value.value = Value::Text(found.clone());
            }
        }
        let mut read: Variables = own
            .iter()
            .filter_map(|(key, value)| Some((key.clone(), value.as_text()?.to_owned())))
            .collect();
        let outside = Outside { project: Environment { variables, warnings }, own: &own };
        let section = Path::ROOT.key("services");
        for file in files.iter().flat_map(Node::items) {
            let path = section.key(name);
            let text = |key: &str| file.get(key).and_then(Node::as_text).unwrap_or_default();
            let required = file.get("required").and_then(Node::as_bool) != Some(false);
            if sources.kind(text("path")) == FileKind::Missing {
                if required {
                    let text = format!("env file {} not found", text("path"));
                    return Err(Fault::new(file.at, &path.key("env_file"), text));
                }
                continue;
            }
            env_file::one(sources, text("path"), text("format"), &mut read, &outside)?;
        }
        let at = files.map(|files| files.at).unwrap_or_default();
        let bytes = read.values().map(String::len).sum();
        budget.put_in(bytes).map_err(|message| Fault::in_file(at, message))?;
        let mut all: Map =
            read.into_iter().map(|(key, value)| (key, Node::text(at, value))).collect();
        all.extend(own);
        service.insert("environment".to_owned(), Node::new(at, Value::Map(all)));
    }
    Ok(())
}

/// `label_file` goes into `labels`, which win.
pub(crate) fn resolve_labels(
    services: &mut Map,
    sources: &Sources<'_>,
    warnings: &Warnings,
) -> Result<()> {
    for (name, service) in services {
        let Some(service) = service.as_map_mut() else { continue };
        let Some(files) = service.remove("label_file") else { continue };
        let mut read = Variables::new();
        for file in files.items() {
            let text = file.as_text().unwrap_or_default();
            if sources.kind(text) == FileKind::Missing {
                let section = Path::ROOT.key("services");
                let message = format!("label file {text} not found");
                return Err(Fault::new(file.at, &section.key(name).key("label_file"), message));
            }
            let nothing = BTreeMap::new();
            let outside = Environment { variables: &nothing, warnings };
            env_file::one(sources, text, "", &mut read, &outside)?;
        }
        let mut all: Map =
            read.into_iter().map(|(key, value)| (key, Node::text(files.at, value))).collect();
        if let Some(Node { value: Value::Map(own), .. }) = service.remove("labels") {
            all.extend(own);
        }
        service.insert("labels".to_owned(), Node::new(files.at, Value::Map(all)));
    }
    Ok(())
}
