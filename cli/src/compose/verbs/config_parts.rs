//! Parts of a project that `compose config` prints alone.

use std::collections::BTreeSet;

use coracle_compose::project::hash::add_platform;
use coracle_compose::{Loaded, Variable, hash, to_yaml};
use serde::Serialize as _;
use serde_json::{Map, Value, json};

use crate::error::CliError;
use crate::format::align_with;

/// Names of services, each after those it depends on.
pub(crate) fn in_order(loaded: &Loaded) -> Vec<String> {
    let services = &loaded.project["services"];
    let mut order: Vec<String> = Vec::new();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for (name, _) in loaded.services() {
        // A service and how many of its dependencies have been looked at.
        let mut open: Vec<(&str, usize)> = vec![(name, 0)];
        while let Some((name, at)) = open.pop() {
            if at == 0 && !seen.insert(name) {
                continue;
            }
            let dependencies = services[name]["depends_on"].as_object();
            let next = dependencies.into_iter().flatten().nth(at).map(|(key, _)| key.as_str());
            match next {
                Some(dependency) => {
                    open.push((name, at + 1));
                    if services.get(dependency).is_some() && !seen.contains(dependency) {
                        open.push((dependency, 0));
                    }
                }
                None => order.push(name.to_owned()),
            }
        }
    }
    order
}

/// Profiles of all services, also of those that take no part.
pub(crate) fn profiles(loaded: &Loaded) -> Vec<String> {
    let services = loaded.services().map(|(_, service)| service).chain(loaded.disabled.values());
    let profiles: BTreeSet<String> = services
        .flat_map(|service| service["profiles"].as_array().into_iter().flatten())
        .filter_map(|profile| profile.as_str().map(str::to_owned))
        .collect();
    profiles.into_iter().collect()
}

/// `SERVICE HASH` lines for a comma list or `*`.
pub(crate) fn hashes(loaded: &Loaded, names: &str) -> Result<String, CliError> {
    let mut wanted: Vec<&str> = match names {
        "*" => loaded.services().map(|(name, _)| name.as_str()).collect(),
        names => names.split(',').collect(),
    };
    wanted.sort_unstable();
    let line = |name: &str| match loaded.project["services"].get(name).cloned() {
        Some(mut service) => {
            if let Some(platform) = loaded.default_platform() {
                add_platform(&mut service, platform);
            }
            Ok(format!("{name} {}\n", hash::service(&service)))
        }
        None => Err(CliError::plain(format!("no such service: {name}: not found"))),
    };
    wanted.into_iter().map(line).collect()
}

/// The variables of the files, as a table, JSON or YAML.
pub(crate) fn variables(loaded: &Loaded, format: &str) -> Result<String, CliError> {
    let variables = loaded.variables();
    let object = |keys: [&str; 4]| {
        let entry = |(name, variable): (&String, &Variable)| {
            let [name_key, default, alternate, required] = keys;
            let value = json!({
                name_key: name,
                default: variable.default,
                alternate: variable.alternate,
                required: variable.required,
            });
            (name.clone(), value)
        };
        Value::Object(variables.iter().map(entry).collect::<Map<_, _>>())
    };
    // Only this one is written as it is in every case.
    let format = if format == "yaml" { format.to_owned() } else { format.to_lowercase() };
    match format.as_str() {
        "" | "table" | "pretty" => {
            let mut text = "NAME\tREQUIRED\tDEFAULT VALUE\tALTERNATE VALUE\n".to_owned();
            for (name, variable) in &variables {
                let Variable { required, default, alternate } = variable;
                text.push_str(&format!("{name}\t{required}\t{default}\t{alternate}\n"));
            }
            Ok(align_with(&text, 20, 3))
        }
        "json" => {
            let object = object(["Name", "DefaultValue", "PresenceValue", "Required"]);
            let mut out = Vec::new();
            let indented = serde_json::ser::PrettyFormatter::with_indent(b"    ");
            object
                .serialize(&mut serde_json::Serializer::with_formatter(&mut out, indented))
                .map_err(|e| CliError::plain(format!("cannot print the variables: {e}")))?;
            // Compose ends it with an empty line.
            Ok(String::from_utf8_lossy(&out).into_owned() + "\n\n")
        }
        "yaml" => Ok(to_yaml(&object(["name", "defaultvalue", "presencevalue", "required"]))),
        other => Err(CliError::plain(format!("format value {other:?} could not be parsed"))),
    }
}
