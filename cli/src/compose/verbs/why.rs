//! `compose why`: why a service is not up.

use std::io::Write as _;
use std::ops::ControlFlow;

use coracle_compose::project::found::Wanted;
use coracle_compose::why::{Known, why};
use coracle_runtime::engine::Summary;
use coracle_runtime::logs::ReadOptions;

use crate::app::App;
use crate::args::Runnable;
use crate::compose::images::ensure;
use crate::compose::project::place;
use crate::error::{CommandResult, ExitStatus};

/// Lines of a log that are shown.
const LINES: u64 = 5;

/// Tell why a service is not up
#[derive(Debug, clap::Args)]
pub(crate) struct ComposeWhyArgs {
    #[arg(value_name = "ARG", hide = true)]
    args: Vec<String>,
}

impl Runnable for ComposeWhyArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let file = place::file(app, &self.args)?;
        let images = ensure::present(app, &file.project)?.into_keys().collect();
        let project = file.project.clone();
        let place = place::Place::of(file);
        let wanted = Wanted { stopped: true, ..Wanted::default() };
        let containers = place::find(app, &place, &wanted)?;
        let last_lines = containers
            .iter()
            .map(|summary| (summary.container.id.clone(), last_lines(app, summary)))
            .collect();
        let known = Known { containers, images, last_lines };
        let mut all_up = true;
        for name in &self.args {
            let service = project.service(name).map_err(place::error)?;
            let answer = why(&project, service, &known);
            all_up &= answer.is_up;
            for line in &answer.lines {
                writeln!(app.ui.data(), "{}{}", "  ".repeat(line.depth), line.text)?;
            }
        }
        Ok(if all_up { ExitStatus::Success } else { ExitStatus::Failure })
    }
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
