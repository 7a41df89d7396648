//! `compose top`: the processes of the containers of services, in one table.

use std::collections::BTreeMap;
use std::io::Write as _;

use coracle_compose::project::found::Wanted;
use coracle_compose::project::labels;

use crate::app::App;
use crate::args::Runnable;
use crate::commands::container::top::processes_of;
use crate::compose::project::target;
use crate::error::{CommandResult, ExitStatus};
use crate::format::align_with;

/// Narrowest cell, with its padding.
const CELL_WIDTH_MIN: usize = 4;
const PADDING: usize = 2;

/// List the processes of the containers of services
#[derive(Debug, clap::Args)]
pub(crate) struct ComposeTopArgs {
    #[arg(value_name = "ARG", hide = true)]
    args: Vec<String>,
}

impl Runnable for ComposeTopArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let project = target::project(app)?;
        let wanted = Wanted { services: self.args, one_off: true, ..Wanted::default() };
        let mut sheet = Sheet::default();
        for known in target::all(app, &project.name, &wanted)? {
            let table = processes_of(app, &known, &[])?;
            let service = target::service(&known).to_owned();
            let number = target::label(&known, labels::NUMBER).to_owned();
            for row in table.rows {
                let mut cells: BTreeMap<String, String> =
                    table.titles.iter().cloned().zip(row).collect();
                cells.insert("SERVICE".to_owned(), service.clone());
                cells.insert("#".to_owned(), number.clone());
                sheet.add(&table.titles, cells);
            }
        }
        if let Some(text) = sheet.render() {
            writeln!(app.ui.data(), "{}", align_with(&text, CELL_WIDTH_MIN, PADDING))?;
        }
        Ok(ExitStatus::Success)
    }
}

/// Rows whose columns may differ from container to container.
#[derive(Debug, Default)]
struct Sheet {
    titles: Vec<String>,
    rows: Vec<BTreeMap<String, String>>,
}

impl Sheet {
    fn add(&mut self, titles: &[String], cells: BTreeMap<String, String>) {
        for title in titles {
            if !self.titles.contains(title) {
                self.titles.push(title.clone());
            }
        }
        self.rows.push(cells);
    }

    /// The table with tabs between its cells; the command, which is long, comes last.
    fn render(mut self) -> Option<String> {
        if self.rows.is_empty() {
            return None;
        }
        if let Some(at) = self.titles.iter().position(|title| title == "CMD") {
            let command = self.titles.remove(at);
            self.titles.push(command);
        }
        let titles: Vec<&str> =
            ["SERVICE", "#"].into_iter().chain(self.titles.iter().map(String::as_str)).collect();
        let cell = |row: &BTreeMap<String, String>, title: &str| {
            row.get(title).cloned().unwrap_or_else(|| "-".to_owned())
        };
        let rows = self
            .rows
            .iter()
            .map(|row| titles.iter().map(|title| cell(row, title)).collect::<Vec<_>>().join("\t"));
        let lines: Vec<String> = std::iter::once(titles.join("\t")).chain(rows).collect();
        Some(lines.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use crate::compose::verbs::top::Sheet;

    #[test]
    fn columns_of_different_containers_are_brought_together() {
        let mut sheet = Sheet::default();
        let mut add = |service: &str, titles: &[&str]| {
            let titles: Vec<String> = titles.iter().map(|&title| title.to_owned()).collect();
            let mut cells: std::collections::BTreeMap<_, _> =
                titles.iter().map(|title| (title.clone(), title.to_lowercase())).collect();
            cells.insert("SERVICE".to_owned(), service.to_owned());
            cells.insert("#".to_owned(), "1".to_owned());
            sheet.add(&titles, cells);
        };
        add("db", &["PID", "CMD"]);
        add("web", &["PID", "TTY", "CMD"]);
        let text = sheet.render().unwrap();
        assert_eq!(text, "SERVICE\t#\tPID\tTTY\tCMD\ndb\t1\tpid\t-\tcmd\nweb\t1\tpid\ttty\tcmd");
        assert_eq!(Sheet::default().render(), None);
    }
}
