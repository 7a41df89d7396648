//! `top`: list the processes of a container.

use std::io::Write as _;

use coracle_runtime::processes::top::Table;

use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::format::{align_with, visible};
use coracle_view::container::{Known, find};

/// Docker's columns here are wider than in its other tables.
const CELL_WIDTH_MIN: usize = 20;
const PADDING: usize = 3;

/// List the processes of a container
#[derive(Debug, clap::Args)]
pub(crate) struct TopArgs {
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for TopArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let (name, options) = self.args.split_first().ok_or_else(|| CliError::plain(""))?;
        let table = processes_of(app, &find(&app.home, name)?, options)?;
        let mut text = table.titles.join("\t");
        for row in &table.rows {
            text.push('\n');
            text.push_str(&row.join("\t"));
        }
        writeln!(app.ui.data(), "{}", align_with(&text, CELL_WIDTH_MIN, PADDING))?;
        Ok(ExitStatus::Success)
    }
}

/// The processes of a running container, as `ps` with these options lists them.
pub(crate) fn processes_of(
    app: &App,
    known: &Known,
    options: &[String],
) -> Result<Table, CliError> {
    let mut table = app.engine()?.top(&known.container, &known.life, options)?;
    // What a process calls itself is its own choice.
    table.rows.iter_mut().flatten().for_each(|cell| *cell = visible(cell));
    Ok(table)
}
