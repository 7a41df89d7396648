//! `service logs`: what the tasks of a service have written.

use std::io::Write as _;

use coracle_runtime::logs::{ReadOptions, Stream, parse_tail};
use coracle_swarm::model::{Mode, NodeState, Task, TaskState};
use coracle_swarm::state::State;
use coracle_view::node;
use coracle_view::service::logs::{LogLine, Reading, Target};
use coracle_words::ErrorKind;

use crate::app::App;
use crate::args::Runnable;
use crate::commands::container::logs::bound;
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::format::units::short_id;
use crate::ui::Ui;

/// Print what the tasks of a service, or one task, have written
#[derive(Debug, clap::Args)]
pub(crate) struct ServiceLogsArgs {
    /// Also print the extra attributes that the log driver stored
    #[arg(long)]
    pub(crate) details: bool,
    /// Keep streaming new lines until interrupted or the source ends
    #[arg(long, short = 'f')]
    pub(crate) follow: bool,
    /// Print ids instead of names
    #[arg(long)]
    pub(crate) no_resolve: bool,
    /// Leave task ids out of the line prefix
    #[arg(long)]
    pub(crate) no_task_ids: bool,
    /// Print full values instead of shortened ones
    #[arg(long)]
    pub(crate) no_trunc: bool,
    /// Print log bytes without prefix formatting
    #[arg(long)]
    pub(crate) raw: bool,
    /// Start point: RFC 3339 time, unix seconds, or age such as 42m
    #[arg(long, value_name = "string")]
    pub(crate) since: Option<String>,
    /// Last N lines per source, or all
    #[arg(long, short = 'n', value_name = "string")]
    pub(crate) tail: Option<String>,
    /// Prefix lines with RFC 3339 nanosecond time
    #[arg(long, short = 't')]
    pub(crate) timestamps: bool,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for ServiceLogsArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let mut swarm = app.manager()?;
        let target = target(&swarm.state, &self.args[0])?;
        let options = ReadOptions {
            tail: parse_tail(self.tail.as_deref().unwrap_or("all")),
            since: bound("since", self.since.as_deref())?,
            until: None,
        };
        let ui = &mut app.ui;
        let reading = Reading {
            engine: app.home.engine()?,
            target: &target,
            options,
            follow: self.follow,
            timestamps: self.timestamps,
            details: self.details,
        };
        let mark = |state: &State, task: &Task| self.mark(state, task);
        reading.read(&mut swarm, &mark, &mut |lines| print(ui, lines))?;
        missing(&swarm.state, &target)
    }
}

impl ServiceLogsArgs {
    /// `NAME.SLOT.TASK@NODE    | `.
    fn mark(&self, state: &State, task: &Task) -> String {
        if self.raw || task.spec.container_spec.tty {
            return String::new();
        }
        let service = state.services.get(&task.service_id);
        let name = match service {
            Some(service) if !self.no_resolve => service.spec.name.as_str(),
            _ => task.service_id.as_str(),
        };
        let node = match state.nodes.get(&task.node_id) {
            Some(known) if !self.no_resolve => node::name_of(known),
            _ => task.node_id.as_str(),
        };
        let id = match (self.no_task_ids, self.no_trunc) {
            (true, _) => String::new(),
            (false, true) => format!(".{}", task.id),
            (false, false) => format!(".{}", short_id(&task.id)),
        };
        let most = match service.map(|service| &service.spec.mode) {
            Some(Mode::Replicated(mode)) => mode.replicas.unwrap_or(0),
            _ => 0,
        };
        let digits = |number: u64| number.to_string().len();
        let padding = " ".repeat(digits(most).saturating_sub(digits(task.slot)));
        format!("{name}.{}{id}@{node}{padding}    | ", task.slot)
    }
}

fn target(state: &State, name: &str) -> Result<Target, CliError> {
    Target::find(state, name).map_err(|error| match error.kind() {
        ErrorKind::NotFound => CliError::plain(format!("no such task or service: {name}")),
        _ => error.into(),
    })
}

/// Of nodes that are lost nothing can be told.
fn missing(state: &State, target: &Target) -> CommandResult {
    let is_down = |task: &&Task| {
        let node = state.nodes.get(&task.node_id);
        node.is_some_and(|node| node.status.state == NodeState::Down)
            && task.status.state == TaskState::Running
    };
    match target.tasks(state).find(is_down) {
        None => Ok(ExitStatus::Success),
        Some(task) => Err(CliError::plain(format!(
            "error from daemon in stream: Error grabbing logs: rpc error: code = Unknown desc = warning: incomplete \
             log stream. some logs could not be retrieved for the following reasons: node {} is not available",
            task.node_id
        ))),
    }
}

fn print(ui: &mut Ui, lines: &[LogLine]) -> Result<(), CliError> {
    for line in lines {
        match line.stream {
            Stream::Stdout => ui.data().write_all(&line.text)?,
            Stream::Stderr => ui.status().write_all(&line.text)?,
        }
    }
    Ok(ui.flush()?)
}
