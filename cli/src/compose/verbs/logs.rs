//! `compose logs`: what the containers of services have written.

use std::time::Duration;

use coracle_compose::project::found::Wanted;
use coracle_runtime::logs::{ReadOptions, parse_tail};

use crate::app::App;
use crate::args::{Runnable, values};
use crate::commands::container::logs::bound;
use crate::compose::doing::members::Members;
use crate::compose::project::place;
use crate::compose::screen::log;
use crate::compose::screen::output::{Look, Output, colour};
use crate::error::{CliError, CommandResult, ExitStatus};

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
        let mut members = Members::new(app.engine()?, &place.name);
        for summary in &found {
            output.reserve(&members.label(summary));
        }
        for summary in &found {
            let name = members.label(summary);
            if !output.add(&members.paths, summary, &name, options)? {
                let text = format!("{name}: its logging driver keeps no output");
                log::warning(app, &text);
            }
            members.add(summary, true);
        }
        app.ui.flush()?;
        if self.follow {
            let meant = |service: &str| match self.args.is_empty() {
                true => place.has(service),
                false => self.args.iter().any(|name| name == service),
            };
            follow(&mut output, &mut members, options, &meant)?;
        }
        output.close_all()?;
        Ok(ExitStatus::Success)
    }
}

/// Shows what these services write, those of their containers that start later too, until each has ended that was
/// there or came. As in Docker Compose, one that had ended before is waited for: it may be started again.
fn follow(
    output: &mut Output,
    members: &mut Members,
    options: ReadOptions,
    meant: &dyn Fn(&str) -> bool,
) -> Result<(), CliError> {
    loop {
        for summary in members.newcomers(meant) {
            let since = Some(summary.life.state.started_at);
            let name = members.label(&summary);
            output.add(&members.paths, &summary, &name, ReadOptions { since, ..options })?;
            members.add_newcomer(&summary);
        }
        output.pump()?;
        for ended in members.look() {
            output.ended(&ended.id, &ended.label, &ended.text())?;
        }
        if members.is_over(meant) {
            return Ok(());
        }
        members.wait(IDLE)?;
    }
}
