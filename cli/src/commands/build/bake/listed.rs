//! `--list`: the targets and variables of files.

use coracle_builder::bake::{Config, Listed};
use serde::Serialize;

use super::files::error;
use crate::error::CliError;

/// What is listed, and how.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct List {
    variables: bool,
    is_json: bool,
}

impl List {
    pub(super) fn parse(text: &str) -> Result<Self, CliError> {
        let (mut kind, mut format) = ("", "table");
        match text.contains(['=', ',']) {
            false => kind = text,
            true => {
                for field in text.split(',') {
                    match field.split_once('=') {
                        Some(("type", value)) => kind = value,
                        Some(("format", value)) => format = value,
                        Some((key, _)) => {
                            return Err(error(format!("unexpected key '{key}' in '{field}'")));
                        }
                        None => return Err(error(format!("invalid value {field}"))),
                    }
                }
            }
        }
        let variables = match kind {
            "targets" => false,
            "variables" => true,
            other => return Err(error(format!("invalid list type {other:?}"))),
        };
        match format {
            "table" | "json" => Ok(Self { variables, is_json: format == "json" }),
            other => Err(error(format!("invalid list format {other:?}"))),
        }
    }

    pub(super) fn show(&self, config: &Config) -> String {
        match (self.variables, self.is_json) {
            (true, true) => pretty(&config.variables),
            (true, false) => {
                let row = |one: &Listed| {
                    let value = one.value.clone().unwrap_or_else(|| "<null>".to_owned());
                    vec![one.name.clone(), one.of.clone(), value, one.description.clone()]
                };
                table(
                    &["VARIABLE", "TYPE", "VALUE", "DESCRIPTION"],
                    config.variables.iter().map(row),
                )
            }
            (false, true) => pretty(&rows(config)),
            (false, false) => {
                let row = |row: Row| vec![row.name, row.description];
                table(&["TARGET", "DESCRIPTION"], rows(config).into_iter().map(row))
            }
        }
    }
}

#[derive(Debug, Serialize)]
struct Row {
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    group: bool,
}

/// By name; those with an underscore before it are for others.
fn rows(config: &Config) -> Vec<Row> {
    let targets = config.targets.iter().map(|target| Row {
        name: target.name.clone(),
        description: target.description.clone(),
        group: false,
    });
    let groups = config.groups.iter().map(|group| {
        let mut names = group.targets.clone();
        names.sort_unstable();
        let names = names.join(", ");
        let description = match group.description.as_str() {
            "" => names,
            text => format!("{text} ({names})"),
        };
        Row { name: group.name.clone(), description, group: true }
    });
    let mut rows: Vec<Row> =
        targets.chain(groups).filter(|row| !row.name.starts_with('_')).collect();
    rows.sort_by(|one, other| one.name.cmp(&other.name));
    rows
}

/// As Go's encoder writes it.
pub(crate) fn pretty(value: &impl Serialize) -> String {
    let json = serde_json::to_string_pretty(value).unwrap_or_default();
    format!("{}\n", json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026"))
}

/// Columns that begin at tabs.
fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    const TAB: usize = 8;
    let head: Vec<String> = head.iter().map(|cell| (*cell).to_owned()).collect();
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(rows).collect();
    let length = |cell: &String| cell.chars().count();
    let mut out = String::new();
    for row in &rows {
        for (column, cell) in row.iter().enumerate() {
            out.push_str(cell);
            if column + 1 == row.len() {
                out.push('\n');
                continue;
            }
            let widest = rows.iter().map(|row| length(&row[column])).max().unwrap_or(0);
            let width = (widest + 1).next_multiple_of(TAB);
            let tabs = (width - length(cell)).div_ceil(TAB);
            out.extend(std::iter::repeat_n('\t', tabs));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use coracle_builder::bake::{Facts, File, read};

    use super::*;

    #[test]
    fn lists_are_those_of_docker() {
        let text = "variable \"TAG\" {\n  default = \"latest\"\n}\ngroup \"default\" {\n  targets = [\"db\", \"app\"]\n}\n\
                    target \"app\" {}\ntarget \"db\" {\n  description = \"all <rows>\"\n}\ntarget \"_own\" {}\n";
        let file = File { name: "f.hcl".to_owned(), text: text.to_owned() };
        let config = read(Config::default(), &[file], &Facts::default()).unwrap();
        let show = |text: &str| List::parse(text).unwrap().show(&config);
        assert_eq!(
            show("targets"),
            "TARGET\tDESCRIPTION\napp\t\ndb\tall <rows>\ndefault\tapp, db\n"
        );
        assert_eq!(show("variables"), "VARIABLE\tTYPE\tVALUE\tDESCRIPTION\nTAG\t\t\tlatest\t\n");
        assert!(show("type=targets,format=json").contains("\"all \\u003crows\\u003e\""));
        assert!(List::parse("colours").unwrap_err().message.contains("invalid list type"));
        assert!(
            List::parse("type=targets,format=xml")
                .unwrap_err()
                .message
                .contains("invalid list format")
        );
    }
}
