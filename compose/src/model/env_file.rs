//! Files of variables for interpolation, and those of services.

use std::collections::BTreeMap;

use super::Sources;
use crate::files::FileKind;
use crate::stages::interpolate::{Environment, Warnings};
use crate::text::dotenv::{self, Variables};
use crate::text::template::Lookup;
use crate::tree::{At, Fault, Result};

/// Reads files one on top of the other, then adds what is not set yet.
pub(crate) fn add(
    sources: &Sources<'_>,
    paths: &[String],
    variables: &mut BTreeMap<String, String>,
    warnings: &Warnings,
) -> Result<()> {
    let mut read = Variables::new();
    for path in paths {
        match sources.kind(path) {
            FileKind::Missing => {
                return Err(Fault::plain(format!("couldn't find env file: {path}")));
            }
            FileKind::Directory => return Err(Fault::plain(format!("{path} is a directory"))),
            FileKind::File => {}
        }
        let outside = Environment { variables, warnings };
        one(sources, path, "", &mut read, &outside)?;
    }
    for (key, value) in read {
        variables.entry(key).or_insert(value);
    }
    Ok(())
}

/// One file. `raw` files are those of `docker run --env-file`.
pub(super) fn one(
    sources: &Sources<'_>,
    path: &str,
    format: &str,
    out: &mut Variables,
    outside: &dyn Lookup,
) -> Result<()> {
    let (file, text) = sources.read_text(path)?;
    let fault = |line: usize, message: String| {
        let line = u32::try_from(line).unwrap_or(u32::MAX);
        Fault::in_file(At { file, line, column: 0 }, message)
    };
    match format {
        "" | ".env" => dotenv::read(&text, out, outside).map_err(|error| {
            fault(error.line, format!("failed to read {path}: {}", error.message))
        }),
        "raw" => raw(&text, out, outside).map_err(|(line, message)| fault(line, message)),
        other => Err(Fault::plain(format!("unsupported env_file format {other:?}"))
            .hint("the formats are raw and, without a name, that of .env files")),
    }
}

/// A file of variables as `docker run --env-file` has it; a bare name takes the value of the environment.
pub(crate) fn read_raw(
    sources: &Sources<'_>,
    path: &str,
    out: &mut Variables,
    environment: &Variables,
) -> Result<()> {
    struct Outside<'a>(&'a Variables);
    impl Lookup for Outside<'_> {
        fn get(&self, name: &str) -> Option<String> {
            self.0.get(name).cloned()
        }

        fn missing(&self, _: &str) {}
    }
    one(sources, path, "raw", out, &Outside(environment))
}

/// `KEY=VALUE` lines without quotes and expansion.
fn raw(
    text: &str,
    out: &mut Variables,
    outside: &dyn Lookup,
) -> std::result::Result<(), (usize, String)> {
    for (index, line) in text.lines().enumerate() {
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (key, value) = match line.split_once('=') {
            Some((key, value)) => (key, Some(value.to_owned())),
            None => (line, outside.get(line)),
        };
        if key.is_empty() || key.contains(char::is_whitespace) {
            return Err((index + 1, format!("variable '{key}' is empty or contains whitespaces")));
        }
        if let Some(value) = value {
            out.insert(key.to_owned(), value);
        }
    }
    Ok(())
}
