//! `--env-file` and `--label-file`: one `KEY=VALUE` to a line, no quoting.

use std::collections::{BTreeMap, BTreeSet};

use coracle_words::pair;

use crate::error::CliError;
use crate::settings::Environment;

/// Variables of the files, then those of `-e`; bare names take their value from here. One of a file
/// that has none here is left out.
pub(crate) fn environment(
    paths: &[String],
    given: &[String],
    environment: &Environment,
) -> Result<Vec<String>, CliError> {
    let mut out = Vec::new();
    for path in paths {
        for entry in entries(path, "env")? {
            out.extend(completed(&entry, environment));
        }
    }
    // Docker hands those of `-e` over sorted by name, and the last value of each only. A name of
    // which we know no value takes the variable of the image away.
    let given: BTreeMap<String, String> = given
        .iter()
        .map(|entry| completed(entry, environment).unwrap_or_else(|| entry.clone()))
        .map(|entry| (entry.split('=').next().unwrap_or_default().to_owned(), entry))
        .collect();
    out.extend(given.into_values());
    Ok(out)
}

/// What `-e` says, and the proxies that it does not name.
pub(super) fn with_proxies(given: &[String], proxies: Vec<String>) -> Vec<String> {
    let key = |entry: &str| entry.split('=').next().unwrap_or_default().to_owned();
    let named: BTreeSet<String> = given.iter().map(|entry| key(entry)).collect();
    let added = proxies.into_iter().filter(|entry| !named.contains(&key(entry)));
    given.iter().cloned().chain(added).collect()
}

/// `KEY=VALUE` as it is; `KEY` with our own value, or nothing when it is unset.
pub(crate) fn completed(entry: &str, environment: &Environment) -> Option<String> {
    if entry.contains('=') {
        return Some(entry.to_owned());
    }
    environment.all.get(entry).map(|value| format!("{entry}={value}"))
}

/// Labels of the files, then those of `-l`; a bare key has an empty value.
pub(super) fn labels(
    paths: &[String],
    given: &[String],
) -> Result<BTreeMap<String, String>, CliError> {
    let mut out = BTreeMap::new();
    for path in paths {
        for entry in entries(path, "label")? {
            insert(&mut out, &entry);
        }
    }
    for entry in given {
        insert(&mut out, entry);
    }
    Ok(out)
}

fn insert(labels: &mut BTreeMap<String, String>, entry: &str) {
    let (key, value) = pair(entry);
    labels.insert(key.to_owned(), value.to_owned());
}

fn entries(path: &str, kind: &str) -> Result<Vec<String>, CliError> {
    let bytes = std::fs::read(path).map_err(|e| {
        let why = match e.kind() {
            std::io::ErrorKind::NotFound => "no such file or directory".to_owned(),
            std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
            _ => e.to_string(),
        };
        CliError::plain(format!("open {path}: {why}"))
    })?;
    let invalid = |why: String| CliError::plain(format!("invalid {kind} file ({path}): {why}"));
    let text = String::from_utf8(bytes).map_err(|_| invalid("it is not valid UTF-8".into()))?;
    let mut out = Vec::new();
    for line in text.trim_start_matches('\u{feff}').lines() {
        let line = line.trim_start_matches([' ', '\t']);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let key = line.split_once('=').map_or(line, |(key, _)| key);
        if key.contains([' ', '\t']) {
            return Err(invalid(format!("variable '{key}' contains whitespaces")));
        }
        if key.is_empty() {
            return Err(invalid(format!("no variable name on line '{line}'")));
        }
        out.push(line.to_owned());
    }
    Ok(out)
}
