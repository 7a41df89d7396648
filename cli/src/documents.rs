//! Output of the inspect commands, and of others that show one document.

use std::io::Write as _;

use serde_json::Value;

use crate::error::{CliError, CommandResult, ExitStatus, Failures};
use crate::format::{Data, Missing, Template, TemplateError, indented};
use crate::ui::Ui;

/// Parses the template of an inspect command before anything is looked up.
pub(crate) fn template(format: Option<&str>) -> Result<Option<Template>, CliError> {
    let source = match format {
        None | Some("") => return Ok(None),
        Some("json") => "{{json .}}",
        Some(source) => source,
    };
    Template::parse("", source).map(Some).map_err(|e| {
        CliError::plain(format!("template parsing error: {e}")).status(ExitStatus::BadTemplate)
    })
}

/// Prints the documents that were found, then the errors about the others. `missing` is how a field is reported that
/// there is not.
pub(crate) fn print(
    ui: &mut Ui,
    template: Option<&Template>,
    found: &[Value],
    missing: Missing,
    mut failures: Failures,
) -> CommandResult {
    let Some(template) = template else {
        let list = Value::Array(found.to_vec());
        let text = if found.is_empty() { "[]".to_owned() } else { indented(&list) };
        writeln!(ui.data(), "{text}")?;
        return failures.finish();
    };
    let mut printed = false;
    for value in found {
        // Docker takes the text of the answer where its types have no such field.
        let shown = template.apply(Data::Document { value, missing }).or_else(|e| match missing {
            Missing::Map => template.apply(Data::Document { value, missing: Missing::Raw }),
            Missing::Raw | Missing::Type(_) => Err(e),
        });
        match shown {
            Ok(text) => {
                printed = true;
                writeln!(ui.data(), "{text}")?;
            }
            Err(TemplateError::Parse(e) | TemplateError::Execute(e)) => {
                failures.push(CliError::plain(format!("template parsing error: {e}")));
                break;
            }
        }
    }
    if !printed {
        // Docker ends its empty output with a line feed.
        writeln!(ui.data())?;
    }
    failures.finish()
}
