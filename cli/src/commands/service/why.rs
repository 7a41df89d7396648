//! `service why`: why services have not converged.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::ops::ControlFlow;

use coracle_runtime::engine::Summary;
use coracle_runtime::logs::ReadOptions;
use coracle_swarm::agent::TASK_LABEL;
use coracle_swarm::state::State;
use coracle_view::service;
use coracle_view::service::why::{Seen, why};

use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult, ExitStatus};

/// Lines of a log that are shown.
const LINES: u64 = 5;

/// Tell why services have not converged
#[derive(Debug, clap::Args)]
pub(crate) struct ServiceWhyArgs {
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for ServiceWhyArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let swarm = app.manager()?;
        let mut all = true;
        for name in &self.args {
            let found = service::find(&swarm.state, name)?;
            let answer = why(&swarm.state, found, &seen(app, &swarm.state, &found.id)?);
            all &= answer.is_converged;
            for line in &answer.lines {
                writeln!(app.ui.data(), "{}{}", "  ".repeat(line.depth), line.text)?;
            }
        }
        Ok(if all { ExitStatus::Success } else { ExitStatus::Failure })
    }
}

/// The containers of a service's tasks, by the ids of the tasks.
fn seen(app: &App, state: &State, id: &str) -> Result<BTreeMap<String, Seen>, CliError> {
    let tasks: BTreeSet<&str> = state.tasks_of(id).map(|task| task.id.as_str()).collect();
    let mut seen = BTreeMap::new();
    for summary in app.engine()?.list()? {
        let label = summary.container.config.labels.get(TASK_LABEL);
        let Some(task) = label.filter(|task| tasks.contains(task.as_str())) else { continue };
        let last_lines = last_lines(app, &summary);
        seen.insert(task.clone(), Seen { state: summary.life.state, last_lines });
    }
    Ok(seen)
}

/// The end of a log; nothing when it cannot be read.
fn last_lines(app: &App, summary: &Summary) -> Vec<String> {
    let Ok(engine) = app.engine() else { return Vec::new() };
    let options = ReadOptions { tail: Some(LINES), ..ReadOptions::default() };
    let mut lines = Vec::new();
    let read = engine.logs(&summary.container, &options, false, &mut |entry| {
        lines.push(entry.text.trim_end().to_owned());
        ControlFlow::Continue(())
    });
    if read.is_err() { Vec::new() } else { lines }
}
