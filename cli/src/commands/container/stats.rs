//! `stats`: show what containers use, live.

use std::io::Write as _;
use std::time::Duration;

use coracle_runtime::processes::stats::Sample;

use crate::app::App;
use crate::args::Runnable;
use crate::commands::chosen_format;
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::format::{Columns, Listing, Row, units};
use crate::ui::Ui;
use coracle_view::container::{self, Known, Reading};

/// Show what containers use, live
#[derive(Debug, clap::Args)]
pub(crate) struct StatsArgs {
    #[command(flatten)]
    pub(crate) flags: StatsFlags,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

// No doc comment: it would replace the description of the command it is part of.
#[derive(Debug, clap::Args)]
pub(crate) struct StatsFlags {
    /// Include containers that are not running
    #[arg(long, short = 'a')]
    pub(crate) all: bool,
    /// Layout: table, 'table TEMPLATE', json, or a Go template for each line
    #[arg(long, value_name = "string")]
    pub(crate) format: Option<String>,
    /// Print one sample and stop
    #[arg(long)]
    pub(crate) no_stream: bool,
    /// Do not shorten anything
    #[arg(long)]
    pub(crate) no_trunc: bool,
}

const COLUMNS: Columns = Columns {
    titles: &[
        ("ID", "CONTAINER ID"),
        ("Container", "CONTAINER"),
        ("Name", "NAME"),
        ("CPUPerc", "CPU %"),
        ("MemUsage", "MEM USAGE / LIMIT"),
        ("MemPerc", "MEM %"),
        ("NetIO", "NET I/O"),
        ("BlockIO", "BLOCK I/O"),
        ("PIDs", "PIDS"),
    ],
    table: "ID Name CPUPerc MemUsage MemPerc NetIO BlockIO PIDs",
    quiet: "ID",
    raw: "",
};

/// Time between two readings, and so between two tables.
const INTERVAL: Duration = Duration::from_secs(1);
/// Clears the screen and goes to its upper left corner.
const CLEAR: &str = "\x1b[2J\x1b[H";

impl Runnable for StatsArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let Self { flags, args } = self;
        let all = flags.all;
        flags.show(app, &|app| match args.is_empty() {
            true => Ok(container::list(&app.home)?
                .into_iter()
                .filter(|known| all || known.state.status.is_running())
                .map(by_id)
                .collect()),
            false => args
                .iter()
                .map(|name| Ok((name.clone(), container::find(&app.home, name)?)))
                .collect(),
        })
    }
}

/// A container under the name it is shown by, its id.
pub(crate) fn by_id(known: Known) -> (String, Known) {
    (known.container.short_id().to_owned(), known)
}

/// Says which containers are shown, and what each is called; asked before each table.
type Chosen<'a> = &'a dyn Fn(&App) -> Result<Vec<(String, Known)>, CliError>;

impl StatsFlags {
    /// Shows the containers that `chosen` gives: once, or again and again.
    pub(crate) fn show(&self, app: &mut App, chosen: Chosen<'_>) -> CommandResult {
        let format = chosen_format(app, self.format.as_deref(), "statsFormat");
        let listing = Listing::new(&COLUMNS, format.as_deref(), false)?;
        let mut before = read(app, chosen)?;
        loop {
            std::thread::sleep(INTERVAL);
            let now = read(app, chosen)?;
            let rows: Vec<Row> = now.iter().map(|one| self.row(one, &before)).collect();
            if !self.no_stream && Ui::stdout_is_terminal() {
                write!(app.ui.data(), "{CLEAR}")?;
            }
            let text = listing.render(&rows)?;
            write!(app.ui.data(), "{text}")?;
            app.ui.flush()?;
            if self.no_stream {
                return Ok(ExitStatus::Success);
            }
            before = now;
        }
    }

    fn row(&self, reading: &Reading, before: &[Reading]) -> Row {
        let container = &reading.known.container;
        let sample = reading.sample.as_ref();
        let cpu = reading.cpu_percent(before);
        let pair = |a: Option<u64>, b: Option<u64>, write: fn(u64) -> String| {
            let one = |value: Option<u64>| match (value, sample) {
                (Some(value), _) => write(value),
                (None, Some(_)) => "--".to_owned(),
                // It does not run and uses nothing.
                (None, None) => write(0),
            };
            format!("{} / {}", one(a), one(b))
        };
        let percent = |value: Option<f64>| match (value, sample) {
            (Some(value), _) => format!("{value:.2}%"),
            (None, Some(_)) => "--".to_owned(),
            (None, None) => "0.00%".to_owned(),
        };
        let field = |get: fn(&Sample) -> Option<u64>| sample.and_then(get);
        let mut row = Row::new("*container.statsContext");
        row.set("Container", reading.named.as_str())
            .set("ID", if self.no_trunc { container.id.as_str() } else { container.short_id() })
            .set("Name", container.name.as_str())
            .set("CPUPerc", percent(cpu))
            .set(
                "MemUsage",
                pair(
                    field(|s| s.memory_bytes),
                    field(|s| s.memory_limit_bytes),
                    units::binary_size,
                ),
            )
            .set("MemPerc", percent(sample.and_then(Sample::memory_percent)))
            .set(
                "NetIO",
                pair(
                    field(|s| s.net_received_bytes),
                    field(|s| s.net_sent_bytes),
                    units::short_size,
                ),
            )
            .set(
                "BlockIO",
                pair(
                    field(|s| s.block_read_bytes),
                    field(|s| s.block_write_bytes),
                    units::short_size,
                ),
            )
            .set(
                "PIDs",
                match (field(|s| s.pids), sample) {
                    (Some(count), _) => count.to_string(),
                    (None, Some(_)) => "--".to_owned(),
                    (None, None) => "0".to_owned(),
                },
            );
        row
    }
}

fn read(app: &App, chosen: Chosen<'_>) -> Result<Vec<Reading>, CliError> {
    Ok(chosen(app)?.into_iter().map(|(named, known)| container::read_stats(named, known)).collect())
}
