//! Rows of a list command and the layouts `--format` chooses.

use std::collections::BTreeMap;

use coracle_words::template::{Data, Fields, Template, TemplateError, escape_html, visible};
use serde_json::Value;

use super::tabs::align;
use crate::ui::Ui;

/// One object of a list command.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    type_name: &'static str,
    fields: BTreeMap<&'static str, Value>,
    labels: BTreeMap<String, String>,
}

impl Row {
    /// `type_name` is what messages call the row, such as `*formatter.ContainerContext`.
    pub(crate) fn new(type_name: &'static str) -> Self {
        Self { type_name, fields: BTreeMap::new(), labels: BTreeMap::new() }
    }

    pub(crate) fn set(&mut self, name: &'static str, value: impl Into<Value>) -> &mut Self {
        self.fields.insert(name, value.into());
        self
    }

    /// Takes a field away again.
    pub(crate) fn unset(&mut self, name: &'static str) -> &mut Self {
        self.fields.remove(name);
        self
    }

    /// Sets the labels behind `.Label "key"` and the `Labels` field.
    pub(crate) fn set_labels(&mut self, labels: BTreeMap<String, String>) -> &mut Self {
        let shown: Vec<String> = labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
        self.fields.insert("Labels", shown.join(",").into());
        self.labels = labels;
        self
    }

    /// The row without what would be commands to a terminal: values come from images too.
    fn shown(&self) -> Self {
        let mut row = self.clone();
        for value in row.fields.values_mut() {
            if let Value::String(text) = value {
                *text = visible(text);
            }
        }
        for value in row.labels.values_mut() {
            *value = visible(value);
        }
        row
    }
}

impl Fields for Row {
    fn field(&self, name: &str) -> Option<Value> {
        self.fields.get(name).cloned()
    }

    fn label(&self, key: &str) -> String {
        self.labels.get(key).cloned().unwrap_or_default()
    }

    fn type_name(&self) -> &str {
        self.type_name
    }

    /// One line, keys sorted.
    fn json(&self) -> String {
        serde_json::to_string(&self.fields).map(|text| escape_html(&text)).unwrap_or_default()
    }
}

/// What a list command can show.
#[derive(Debug)]
pub(crate) struct Columns {
    /// Field and column title, for every field with a title.
    pub(crate) titles: &'static [(&'static str, &'static str)],
    /// Fields of the plain table.
    pub(crate) table: &'static str,
    /// The field that `--quiet` prints.
    pub(crate) quiet: &'static str,
    /// Template of the old `raw` layout; empty when there is none.
    pub(crate) raw: &'static str,
}

/// The header line: each field gives its title.
impl Fields for Columns {
    fn field(&self, name: &str) -> Option<Value> {
        let title = self.titles.iter().find(|(known, _)| *known == name);
        Some(title.map_or("<no value>", |(_, title)| *title).into())
    }

    fn label(&self, key: &str) -> String {
        key.to_owned()
    }

    fn type_name(&self) -> &str {
        "header"
    }

    fn json(&self) -> String {
        String::new()
    }

    fn is_header(&self) -> bool {
        true
    }
}

/// How Docker's client begins when a layout is at fault.
const MISTAKE: &str = "template parsing error: ";

/// A parsed layout.
#[derive(Debug)]
pub(crate) struct Listing<'a> {
    columns: &'a Columns,
    template: Template,
    table: bool,
}

impl<'a> Listing<'a> {
    /// Chooses the layout from `--format` and `--quiet`.
    pub(crate) fn new(
        columns: &'a Columns,
        format: Option<&str>,
        quiet: bool,
    ) -> Result<Self, TemplateError> {
        let format = format.unwrap_or("table");
        let (table, source) = if quiet {
            (false, format!("{{{{.{}}}}}", columns.quiet))
        } else if format == "json" {
            (false, "{{json .}}".to_owned())
        } else if format == "raw" && !columns.raw.is_empty() {
            (false, columns.raw.to_owned())
        } else if let Some(rest) = format.strip_prefix("table") {
            let rest = rest.trim_start();
            let source = if rest.is_empty() { default_source(columns.table) } else { rest.into() };
            (true, source)
        } else {
            (false, format.to_owned())
        };
        let source = source.replace("\\t", "\t").replace("\\n", "\n");
        let template = Template::parse("", &source)
            .map_err(|e| TemplateError::Parse(format!("{MISTAKE}{e}")))?;
        Ok(Self { columns, template, table })
    }

    /// The same for a command that looks at the layout before it lists, as `ps` does, and says so.
    pub(crate) fn checked(
        columns: &'a Columns,
        format: Option<&str>,
        quiet: bool,
        any: &Row,
    ) -> Result<Self, TemplateError> {
        let instead = |e: TemplateError, what: &str| {
            let text = e.to_string();
            format!("failed to {what} template: {}", text.trim_start_matches(MISTAKE))
        };
        let listing = Self::new(columns, format, quiet)
            .map_err(|e| TemplateError::Parse(instead(e, "parse")))?;
        listing.render([any]).map_err(|e| TemplateError::Execute(instead(e, "execute")))?;
        Ok(listing)
    }

    /// Everything the command prints, with a newline after each row.
    pub(crate) fn render<'r>(
        &self,
        rows: impl IntoIterator<Item = &'r Row>,
    ) -> Result<String, TemplateError> {
        let mut out = String::new();
        let apply = |data: Data<'_>| {
            self.template.apply(data).map_err(|e| TemplateError::Execute(format!("{MISTAKE}{e}")))
        };
        if self.table {
            out.push_str(&apply(Data::Fields(self.columns))?);
            out.push('\n');
        }
        // A program gets what it asks for, byte by byte.
        let safe = self.table || Ui::stdout_is_terminal();
        for row in rows {
            let text = match safe {
                true => apply(Data::Fields(&row.shown()))?,
                false => apply(Data::Fields(row))?,
            };
            out.push_str(&text);
            out.push('\n');
        }
        Ok(if self.table { align(&out) } else { out })
    }
}

/// The template of a plain table from its field names.
fn default_source(fields: &str) -> String {
    fields.split(' ').map(|f| format!("{{{{.{f}}}}}")).collect::<Vec<_>>().join("\t")
}
