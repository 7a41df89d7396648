//! `compose logs`: what the containers of services have written.

use std::time::Duration;

use coracle_compose::project::found::Wanted;
use coracle_runtime::logs::{ReadOptions, parse_tail};
use coracle_runtime::watch::Watch;

use crate::app::App;
use crate::args::{Runnable, values};
use crate::commands::container::logs::bound;
use crate::compose::project::place;
use crate::compose::screen::output::{Look, Output, colour, label};
use crate::error::{CommandResult, ExitStatus};

/// Time between looks when nothing happens.
const IDLE: Duration = Duration::from_secs(1);

/// View the output of containers
#[derive(Debug, clap::Args)]
pub(crate) struct ComposeLogsArgs {
    /// Keep streaming new lines
    #[arg(long, short = 'f')]
    follow: bool,
    /// Number of the container when the service has several
    #[arg(long, value_name = "int", value_parser = values::int)]
    index: Option<i64>,
    /// Plain text without colours
    #[arg(long)]
    no_color: bool,
    /// Output without the names before it
    #[arg(long)]
    no_log_prefix: bool,
    /// Start point: RFC 3339 time, unix seconds, or age such as 42m
    #[arg(long, value_name = "string")]
    since: Option<String>,
    /// Last N lines of each container, or all
    #[arg(long, short = 'n', value_name = "string")]
    tail: Option<String>,
    /// Show times
    #[arg(long, short = 't')]
    timestamps: bool,
    /// End point: RFC 3339 time, unix seconds, or age such as 42m
    #[arg(long, value_name = "string")]
    until: Option<String>,
    #[arg(value_name = "ARG", hide = true)]
    args: Vec<String>,
}

impl Runnable for ComposeLogsArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let options = ReadOptions {
            tail: parse_tail(self.tail.as_deref().unwrap_or("all")),
            since: bound("since", self.since.as_deref())?,
            until: bound("until", self.until.as_deref())?,
        };
        let place = place::project(app, &[])?;
        let number = self.index.and_then(|index| u32::try_from(index).ok()).unwrap_or(0);
        let wanted =
            Wanted { services: self.args.clone(), stopped: true, number, ..Wanted::default() };
        let found = place::find_enabled(app, &place, &wanted)?;
        let look = Look {
            colour: colour(app, self.no_color),
            no_prefix: self.no_log_prefix,
            timestamps: self.timestamps,
            one_stream: true,
        };
        let mut output = Output::new(look);
        let mut watch = Watch::empty();
        for summary in &found {
            let name = label(&place.name, &summary.container.name);
            output.reserve(&name);
        }
        for summary in &found {
            let name = label(&place.name, &summary.container.name);
            if !output.add(app.engine()?, summary, &name, options)? {
                let text = format!("{name}: its logging driver keeps no output");
                crate::compose::screen::log::warning(app, &text);
            }
            watch.add(&app.engine()?.paths().container(&summary.container.id));
        }
        let records = app.engine()?.records.clone();
        app.ui.flush()?;
        loop {
            // Asked before reading: what was written before the end is then seen.
            let runs = self.follow
                && found.iter().any(|summary| {
                    let life = records.life(&summary.container.id);
                    life.is_ok_and(|life| life.state.status.is_running())
                });
            if !runs {
                output.close_all()?;
                return Ok(ExitStatus::Success);
            }
            output.pump()?;
            watch.wait(watch.patience(IDLE))?;
        }
    }
}
