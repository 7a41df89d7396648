//! `logs`: print what a container has written.

use std::io::Write as _;
use std::ops::ControlFlow;

use coracle_runtime::logs::{LogError, ReadOptions, Show, Stream, parse_tail};
use coracle_runtime::model::Timestamp;

use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::filters::moment;
use coracle_view::container::find;

/// Print what a container has written
#[derive(Debug, clap::Args)]
pub(crate) struct LogsArgs {
    /// Also print the extra attributes that the log driver stored
    #[arg(long)]
    pub(crate) details: bool,
    /// Keep streaming new lines until interrupted or the source ends
    #[arg(long, short = 'f')]
    pub(crate) follow: bool,
    /// Start point: RFC 3339 time, unix seconds, or age such as 42m
    #[arg(long, value_name = "string")]
    pub(crate) since: Option<String>,
    /// Last N lines per source, or all
    #[arg(long, short = 'n', value_name = "string")]
    pub(crate) tail: Option<String>,
    /// Prefix lines with RFC 3339 nanosecond time
    #[arg(long, short = 't')]
    pub(crate) timestamps: bool,
    /// End point: RFC 3339 time, unix seconds, or age such as 42m
    #[arg(long, value_name = "string")]
    pub(crate) until: Option<String>,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for LogsArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let known = find(&app.home, &self.args[0])?;
        let options = ReadOptions {
            tail: parse_tail(self.tail.as_deref().unwrap_or("all")),
            since: bound("since", self.since.as_deref())?,
            until: bound("until", self.until.as_deref())?,
        };
        let container = &known.container;
        let library = |e: LogError| {
            let hint = e.hint();
            CliError::library(&e, hint)
        };
        let mut show = Show::new(self.timestamps, self.details);
        let mut written = Ok(());
        let engine = app.home.engine()?;
        let ui = &mut app.ui;
        engine
            .logs(container, &options, self.follow, &mut |entry| {
                let mut text = Vec::new();
                show.append(&mut text, entry);
                written = match entry.stream {
                    Stream::Stdout => ui.data().write_all(&text),
                    Stream::Stderr => ui.status().write_all(&text),
                };
                if self.follow && written.is_ok() {
                    written = ui.flush();
                }
                if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })
            .map_err(library)?;
        written?;
        Ok(ExitStatus::Success)
    }
}

/// A time of `--since` or `--until`; the error names the flag, as Docker's does. Nothing ends
/// at zero.
pub(crate) fn bound(flag: &str, given: Option<&str>) -> Result<Option<Timestamp>, CliError> {
    given
        .filter(|text| !text.is_empty())
        .filter(|text| flag != "until" || *text != "0")
        .map(|text| {
            moment(text).map_err(|error| {
                CliError::plain(format!("invalid value for {flag:?}: {}", error.message))
            })
        })
        .transpose()
}
