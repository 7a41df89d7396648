//! `compose ls`: the projects that there are.

use std::collections::BTreeMap;
use std::io::Write as _;

use coracle_compose::project::{found, labels};
use serde_json::json;

use crate::app::App;
use crate::args::Runnable;
use crate::args::values::{self, Filter};
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::format::align_with;
use coracle_view::filter::Filters;

/// Least width of a column, and what follows it, as Compose has them.
const CELL_WIDTH_MIN: usize = 20;
const PADDING: usize = 1;

/// List running projects
#[derive(Debug, clap::Args)]
pub(crate) struct ComposeLsArgs {
    /// Include projects of which nothing runs
    #[arg(long, short = 'a')]
    all: bool,
    /// Show only matches: name=REGEX
    #[arg(long, value_name = "filter", value_parser = values::filter)]
    filter: Vec<Filter>,
    /// Layout: table or json
    #[arg(long, value_name = "string")]
    format: Option<String>,
    /// Print only names
    #[arg(long, short = 'q')]
    quiet: bool,
}

#[derive(Default)]
struct Project {
    states: BTreeMap<&'static str, usize>,
    files: Vec<String>,
    runs: bool,
}

impl Runnable for ComposeLsArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let filters = Filters::new(&self.filter, &["name"])?;
        let mut projects: BTreeMap<String, Project> = BTreeMap::new();
        for summary in app.engine()?.list()? {
            let name = found::label(&summary, labels::PROJECT);
            if name.is_empty() || found::is_one_off(&summary) {
                continue;
            }
            let project = projects.entry(name.to_owned()).or_default();
            let status = summary.life.state.status;
            *project.states.entry(status.as_str()).or_default() += 1;
            project.runs |= status.is_running();
            for file in found::label(&summary, labels::CONFIG_FILES).split(',') {
                if !file.is_empty() && !project.files.iter().any(|known| known == file) {
                    project.files.push(file.to_owned());
                }
            }
        }
        projects.retain(|name, one| (self.all || one.runs) && filters.matches("name", name));
        self.print(app, &projects)
    }
}

impl ComposeLsArgs {
    fn print(&self, app: &mut App, projects: &BTreeMap<String, Project>) -> CommandResult {
        if self.quiet {
            for name in projects.keys() {
                writeln!(app.ui.data(), "{name}")?;
            }
            return Ok(ExitStatus::Success);
        }
        match self.format.as_deref() {
            None | Some("" | "table" | "pretty") => {
                let mut text = "NAME\tSTATUS\tCONFIG FILES".to_owned();
                for (name, project) in projects {
                    text.push_str(&format!(
                        "\n{name}\t{}\t{}",
                        status(project),
                        project.files.join(",")
                    ));
                }
                writeln!(app.ui.data(), "{}", align_with(&text, CELL_WIDTH_MIN, PADDING))?;
            }
            Some("json") => {
                let all: Vec<_> = projects
                    .iter()
                    .map(|(name, project)| {
                        json!({"Name": name, "Status": status(project),
                               "ConfigFiles": project.files.join(",")})
                    })
                    .collect();
                writeln!(app.ui.data(), "{}", serde_json::Value::Array(all))?;
            }
            Some(other) => {
                let text = format!("format value {other:?} could not be parsed: parsing failed");
                return Err(CliError::plain(text));
            }
        }
        Ok(ExitStatus::Success)
    }
}

/// `exited(1), running(2)`.
fn status(project: &Project) -> String {
    let parts: Vec<String> =
        project.states.iter().map(|(state, count)| format!("{state}({count})")).collect();
    parts.join(", ")
}
