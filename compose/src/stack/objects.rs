//! Networks, volumes, secrets and configs of a stack file: those that others made, and where files are.

use super::read::Reader;
use crate::stages::interpolate::Warnings;
use crate::stages::paths::join;
use crate::tree::{Fault, Map, Node, Path, Result, Value};

/// What is external gets its name, also from the old form `external: {name: NAME}`.
pub(super) fn external(root: &mut Node, version: &str, warnings: &Warnings) -> Result<()> {
    for (section, what, since) in [
        ("networks", "network", 5),
        ("volumes", "volume", 4),
        ("secrets", "secret", 5),
        ("configs", "config", 5),
    ] {
        let path = Path::ROOT.key(section);
        let objects = root.get_mut(section).and_then(Node::as_map_mut);
        for (key, object) in objects.into_iter().flatten() {
            let at = object.at;
            let Some(map) = object.as_map_mut() else { continue };
            let old_name = match map.get("external").map(|external| &external.value) {
                Some(Value::Map(old)) => old.get("name").cloned(),
                Some(Value::Bool(true)) => None,
                _ => continue,
            };
            alone(map, section, &path.key(key))?;
            map.insert("external".to_owned(), Node::bool(at, true));
            let old_name =
                old_name.filter(|name| name.as_text().is_some_and(|name| !name.is_empty()));
            match (old_name, map.contains_key("name")) {
                (Some(_), true) => {
                    let text = format!(
                        "{what}.external.name and {what}.name conflict; only use {what}.name"
                    );
                    return Err(Fault::new(at, &path.key(key), text));
                }
                (Some(name), false) => {
                    if minor(version) >= since {
                        warnings.add(format!(
                            "{what} {key}: {what}.external.name is deprecated in favor of {what}.name"
                        ));
                    }
                    map.insert("name".to_owned(), name);
                }
                (None, false) => drop(map.insert("name".to_owned(), Node::text(at, key.clone()))),
                (None, true) => {}
            }
        }
    }
    Ok(())
}

/// A volume that somebody else made is taken as it is.
fn alone(map: &Map, section: &str, path: &Path<'_>) -> Result<()> {
    if section != "volumes" {
        return Ok(());
    }
    let set = |key: &&&str| {
        map.get(**key).is_some_and(|node| match &node.value {
            Value::Text(text) => !text.is_empty(),
            Value::Map(map) => !map.is_empty(),
            Value::List(list) => !list.is_empty(),
            _ => false,
        })
    };
    match ["driver", "driver_opts", "labels"].iter().find(set) {
        None => Ok(()),
        Some(key) => {
            let text = format!("conflicting parameters \"external\" and {key:?} specified");
            Err(Fault::new(map[*key].at, path, text))
        }
    }
}

fn minor(version: &str) -> u8 {
    version.strip_prefix("3.").and_then(|minor| minor.parse().ok()).unwrap_or_default()
}

/// Files of secrets and configs, and the sources of bind mounts, get the folder they are relative to.
pub(super) fn paths(root: &mut Node, reader: &Reader<'_>) -> Result<()> {
    for section in ["secrets", "configs"] {
        let path = Path::ROOT.key(section);
        let objects = root.get_mut(section).and_then(Node::as_map_mut);
        for (key, object) in objects.into_iter().flatten() {
            let at = object.at;
            let set = |name: &str| object.get(name).is_some_and(|node| node.as_text() != Some(""));
            if object.get("external").and_then(Node::as_bool) == Some(true) {
                continue;
            }
            if set("driver") {
                if set("file") {
                    return Err(Fault::new(at, &path.key(key), "driver and file conflict"));
                }
                continue;
            }
            let file = object.get("file").and_then(Node::as_text).unwrap_or_default();
            let file = absolute(reader.folder, file);
            if let Some(map) = object.as_map_mut() {
                map.insert("file".to_owned(), Node::text(at, file));
            }
        }
    }
    let services = root.get_mut("services").and_then(Node::as_map_mut);
    for (name, service) in services.into_iter().flatten() {
        let Some(Value::List(mounts)) = service.get_mut("volumes").map(|node| &mut node.value)
        else {
            continue;
        };
        for (index, mount) in mounts.iter_mut().enumerate() {
            if mount.get("type").and_then(Node::as_text) != Some("bind") {
                continue;
            }
            let source = mount.get("source").and_then(Node::as_text).unwrap_or_default();
            if source.is_empty() {
                let path = Path::ROOT.key("services");
                let path = path.key(name);
                let text = "invalid mount config for type \"bind\": field Source must not be empty";
                return Err(Fault::new(mount.at, &path.key("volumes").index(index), text));
            }
            let source = source_path(source, reader);
            let at = mount.at;
            if let Some(map) = mount.as_map_mut() {
                map.insert("source".to_owned(), Node::text(at, source));
            }
        }
    }
    Ok(())
}

fn source_path(source: &str, reader: &Reader<'_>) -> String {
    let source = match (source.strip_prefix('~'), reader.variables.get("HOME")) {
        (Some(rest), Some(home)) => format!("{home}{rest}"),
        (Some(_), None) => {
            reader.warnings.add("cannot expand '~', because the environment lacks HOME".to_owned());
            source.to_owned()
        }
        _ => source.to_owned(),
    };
    let drive = source.as_bytes().get(1) == Some(&b':') || source.starts_with(r"\\");
    if drive { source } else { absolute(reader.folder, &source) }
}

/// What is absolute stays as it is written.
pub(super) fn absolute(folder: &str, path: &str) -> String {
    if path.starts_with('/') { path.to_owned() } else { join(folder, path) }
}
