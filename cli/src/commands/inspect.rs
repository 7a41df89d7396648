//! What the inspect commands share: one document for each name, then the failures.

use serde_json::Value;

use crate::app::App;
use crate::documents;
use crate::error::{CliError, CommandResult, Failures};
use crate::format::Missing;

/// Prints what `document` finds for each name. It is also told whether a template asks for the
/// document in Go's types.
pub(crate) fn inspect_all(
    app: &mut App,
    names: &[String],
    format: Option<&str>,
    document: impl FnMut(&mut App, &str, bool) -> Result<Value, CliError>,
) -> CommandResult {
    inspect_typed(app, names, format, Missing::Map, document)
}

/// The same of objects of which Docker's client knows the fields; `missing` is how it reports another.
pub(crate) fn inspect_typed(
    app: &mut App,
    names: &[String],
    format: Option<&str>,
    missing: Missing,
    mut document: impl FnMut(&mut App, &str, bool) -> Result<Value, CliError>,
) -> CommandResult {
    let template = documents::template(format)?;
    let mut failures = Failures::default();
    let mut found = Vec::new();
    for name in names {
        found.extend(failures.check(document(app, name, template.is_some())));
    }
    documents::print(&mut app.ui, template.as_ref(), &found, missing, failures)
}
